package runner

import (
	"debug/macho"
	"strings"
)

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

// machoArch names the architecture as GOARCH does, or else as Mach-O does.
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
