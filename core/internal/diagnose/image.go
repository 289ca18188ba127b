package diagnose

import (
	"debug/macho"
	"debug/pe"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// image holds facts from the headers of an executable file.
type image struct {
	path   string
	os     string   // as GOOS
	archs  []string // as GOARCH; several in a universal file
	kind   imageKind
	loader string // its dynamic loader, for a dynamic ELF
	size   int64
	need   int64 // file size implied by the headers; 0: not known
}

// imageKind is the purpose of an executable file.
type imageKind int

const (
	kindProgram imageKind = iota
	kindLibrary
	kindObject
	kindCore
)

// runsAlso lists further architectures that a machine may run. They depend on
// the system's configuration, so they count as wrong only after the system
// refused the file's format.
var runsAlso = map[string][]string{
	"android/arm64":  {"arm"},
	"darwin/arm64":   {"amd64"},
	"freebsd/amd64":  {"386"},
	"illumos/amd64":  {"386"},
	"linux/amd64":    {"386"},
	"linux/arm64":    {"arm"},
	"linux/mips64":   {"mips"},
	"linux/mips64le": {"mipsle"},
	"linux/ppc64":    {"ppc"},
	"netbsd/amd64":   {"386"},
	"solaris/amd64":  {"386"},
	"windows/amd64":  {"386"},
	"windows/arm64":  {"386", "amd64", "arm"},
}

// binary explains why an executable file does not run here.
func (s suspect) binary(img image) string {
	if img.isForeign() && s.failure == failureMissing {
		return img.elsewhere(true) // the missing file belongs to the other system
	}
	if s.failure == failureFormat || s.failure == failureUntold {
		if reason := img.elsewhere(s.failure == failureFormat); reason != "" {
			return reason
		}
		if reason := img.unfit(s.path); reason != "" {
			return reason
		}
	}
	if s.failure == failureMissing || s.failure == failureUntold {
		return img.unloadable()
	}
	return ""
}

// elsewhere reports a file for another system or machine.
func (i *image) elsewhere(refused bool) string {
	const here = runtime.GOOS + "/" + runtime.GOARCH
	if !i.isForeign() {
		if slices.Contains(i.archs, runtime.GOARCH) {
			return ""
		}
		alsoRuns := func(arch string) bool { return slices.Contains(runsAlso[here], arch) }
		if !refused && slices.ContainsFunc(i.archs, alsoRuns) {
			return ""
		}
	}
	var targets []string
	for _, arch := range i.archs {
		targets = append(targets, i.os+"/"+arch)
	}
	return fmt.Sprintf("%q is built for %s, this machine is %s: install the build for %s (in Go: GOOS=%s GOARCH=%s go build)",
		i.path, strings.Join(targets, " and "), here, here, runtime.GOOS, runtime.GOARCH)
}

// isForeign reports whether the file is for another system. Android counts as
// Linux: only the loader distinguishes their files.
func (i *image) isForeign() bool {
	switch runtime.GOOS {
	case "android":
		return i.os != "linux"
	case "ios":
		return i.os != "darwin"
	}
	return i.os != runtime.GOOS
}

// unfit reports an incomplete program, or another kind of file.
func (i *image) unfit(path string) string {
	switch {
	case i.kind == kindLibrary:
		return fmt.Sprintf("%q is a shared library, not a program: build a program (in Go: package main, "+
			"without -buildmode=plugin or c-shared)", path)
	case i.kind == kindObject:
		return fmt.Sprintf("%q is an object file, not a program: link it, or build a program (in Go: package main)", path)
	case i.kind == kindCore:
		return fmt.Sprintf("%q is the core dump of a program: name the program", path)
	case i.need > i.size:
		return fmt.Sprintf("%q is truncated: it has %d bytes, and its headers require %d: build or install it again",
			path, i.size, i.need)
	}
	return ""
}

// unloadable reports a missing loader of a dynamic program.
func (i *image) unloadable() string {
	if i.loader == "" {
		return ""
	}
	if _, err := os.Stat(i.loader); !os.IsNotExist(err) {
		return ""
	}
	return fmt.Sprintf("%q needs the loader %q%s, missing on this system: build it for this system's "+
		"C library or as a static program (in Go: CGO_ENABLED=0), or install that loader", i.path, i.loader, libraryOf(i.loader))
}

// libraryOf names the C library of a loader.
func libraryOf(loader string) string {
	switch {
	case strings.Contains(loader, "/ld-musl"):
		return " of musl"
	case strings.Contains(loader, "/ld-linux"), strings.Contains(loader, "/ld64.so"):
		return " of glibc"
	case strings.HasPrefix(loader, "/system/bin/linker"):
		return " of Android"
	}
	return ""
}

// readMachO reads a Mach-O file, universal or for one architecture.
func readMachO(c *content) (image, bool) {
	img := image{path: c.path, os: "darwin", size: c.size}
	if fat, err := macho.NewFatFile(c); err == nil {
		for _, arch := range fat.Arches {
			img.archs = append(img.archs, machoArch(arch.Cpu))
			img.kind = machoKind(arch.Type)
		}
		return img, len(img.archs) > 0
	}
	file, err := macho.NewFile(c)
	if err != nil {
		return image{}, false
	}
	img.archs = []string{machoArch(file.Cpu)}
	img.kind = machoKind(file.Type)
	return img, true
}

func machoKind(t macho.Type) imageKind {
	switch t {
	case macho.TypeDylib, macho.TypeBundle:
		return kindLibrary
	case macho.TypeObj:
		return kindObject
	default:
		return kindProgram
	}
}

// machoArch names the architecture as GOARCH does, otherwise as Mach-O does.
func machoArch(cpu macho.Cpu) string {
	switch cpu {
	case macho.Cpu386:
		return "386"
	case macho.CpuPpc:
		return "ppc"
	case macho.CpuPpc64:
		return "ppc64"
	default:
		return strings.ToLower(strings.TrimPrefix(cpu.String(), "Cpu"))
	}
}

// readPE reads a Windows program.
func readPE(c *content) (image, bool) {
	file, err := pe.NewFile(c)
	if err != nil {
		return image{}, false
	}
	img := image{path: c.path, os: "windows", archs: []string{peArch(file.Machine)}, size: c.size}
	if file.Characteristics&pe.IMAGE_FILE_DLL != 0 {
		img.kind = kindLibrary
	}
	for _, section := range file.Sections {
		img.need = max(img.need, int64(section.Offset)+int64(section.Size))
	}
	return img, true
}

// peArch names the architecture as GOARCH does, otherwise by its number.
func peArch(machine uint16) string {
	switch machine {
	case pe.IMAGE_FILE_MACHINE_I386:
		return "386"
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_ARMNT, pe.IMAGE_FILE_MACHINE_ARM:
		return "arm"
	default:
		return fmt.Sprintf("machine %#x", machine)
	}
}
