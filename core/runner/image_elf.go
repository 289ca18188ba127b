package runner

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"strings"
)

const (
	maxSegments   = 64   // segments that are looked at
	maxNoteBytes  = 4096 // of one segment of notes
	maxLoaderPath = 4096
)

// elfHeader is what both widths of an ELF header say, as far as it matters.
type elfHeader struct {
	class   elf.Class
	data    elf.Data
	osabi   elf.OSABI
	kind    elf.Type
	machine elf.Machine
	end     int64 // of the table of sections, usually the last thing in a file
}

// readELF reads an ELF file. Its header suffices; the segments, which a damaged
// file does not let be read, add to it.
func readELF(c *content, size int64) (image, bool) {
	header, ok := readELFHeader(c.head)
	if !ok {
		return image{}, false
	}
	img := image{
		path:  c.path,
		os:    elfSystem(header.osabi),
		archs: []string{elfArch(header)},
		kind:  elfKind(header.kind),
		size:  size,
		need:  header.end,
	}
	file, err := elf.NewFile(c)
	if err != nil {
		return img, true
	}
	img.readSegments(file)
	return img, true
}

// readELFHeader decodes the header by hand, since debug/elf refuses a file
// whose other parts are missing.
func readELFHeader(head []byte) (h elfHeader, ok bool) {
	if len(head) < elf.EI_NIDENT {
		return h, false
	}
	h.class, h.data = elf.Class(head[elf.EI_CLASS]), elf.Data(head[elf.EI_DATA])
	h.osabi = elf.OSABI(head[elf.EI_OSABI])
	var order binary.ByteOrder = binary.LittleEndian
	if h.data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	switch h.class {
	case elf.ELFCLASS64:
		var raw elf.Header64
		if binary.Read(bytes.NewReader(head), order, &raw) != nil {
			return h, false
		}
		h.kind, h.machine = elf.Type(raw.Type), elf.Machine(raw.Machine)
		h.end = tableEnd(raw.Shoff, raw.Shnum, raw.Shentsize)
	case elf.ELFCLASS32:
		var raw elf.Header32
		if binary.Read(bytes.NewReader(head), order, &raw) != nil {
			return h, false
		}
		h.kind, h.machine = elf.Type(raw.Type), elf.Machine(raw.Machine)
		h.end = tableEnd(uint64(raw.Shoff), raw.Shnum, raw.Shentsize)
	default:
		return h, false
	}
	return h, true
}

// tableEnd is where a table ends, or 0 if that cannot be.
func tableEnd(offset uint64, count, size uint16) int64 {
	if offset >= 1<<62 {
		return 0
	}
	return int64(offset) + int64(count)*int64(size)
}

// readSegments reads what the segments say about the loader, the system and the
// kind of file.
func (i *image) readSegments(file *elf.File) {
	dynamic := false
	for _, p := range file.Progs[:min(len(file.Progs), maxSegments)] {
		switch p.Type {
		case elf.PT_INTERP:
			i.loader = readString(p, maxLoaderPath)
		case elf.PT_DYNAMIC:
			dynamic = true
		case elf.PT_NOTE:
			if system := noteSystem(p, file.ByteOrder); system != "" {
				i.os = system
			}
		case elf.PT_LOAD:
			if p.Off < 1<<62 && p.Filesz < 1<<62 {
				i.need = max(i.need, int64(p.Off+p.Filesz))
			}
		}
	}
	// A position-independent program and a library have one type. A program
	// has a loader, or, if it is static, says what it is.
	if file.Type == elf.ET_DYN && dynamic && i.loader == "" && !isStaticPIE(file) {
		i.kind = kindLibrary
	}
}

func isStaticPIE(file *elf.File) bool {
	flags, err := file.DynValue(elf.DT_FLAGS_1)
	if err != nil {
		return true // not to be read: claim nothing
	}
	for _, f := range flags {
		if elf.DynFlag1(f)&elf.DF_1_PIE != 0 {
			return true
		}
	}
	return false
}

func elfKind(t elf.Type) imageKind {
	switch t {
	case elf.ET_REL:
		return kindObject
	case elf.ET_CORE:
		return kindCore
	default:
		return kindProgram
	}
}

// elfSystem names the system of an OS/ABI number. Linux uses that of no system
// in particular, as others do that notes tell apart.
func elfSystem(abi elf.OSABI) string {
	if abi == elf.ELFOSABI_NONE {
		return "linux"
	}
	return strings.ToLower(strings.TrimPrefix(abi.String(), "ELFOSABI_"))
}

// elfArch names the architecture as GOARCH does, or else as ELF does.
func elfArch(h elfHeader) string {
	little, wide := h.data == elf.ELFDATA2LSB, h.class == elf.ELFCLASS64
	suffix := func(name string) string {
		if little {
			return name + "le"
		}
		return name
	}
	switch h.machine {
	case elf.EM_X86_64:
		if !wide {
			return "amd64p32"
		}
		return "amd64"
	case elf.EM_386:
		return "386"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_PPC64:
		return suffix("ppc64")
	case elf.EM_S390:
		return "s390x"
	case elf.EM_LOONGARCH:
		return "loong64"
	case elf.EM_MIPS:
		if wide {
			return suffix("mips64")
		}
		return suffix("mips")
	case elf.EM_RISCV:
		if wide {
			return "riscv64"
		}
		return "riscv"
	}
	return strings.ToLower(strings.TrimPrefix(h.machine.String(), "EM_"))
}

// noteSystems are the systems that sign their programs with a note.
var noteSystems = map[string]string{
	"FreeBSD":   "freebsd",
	"NetBSD":    "netbsd",
	"OpenBSD":   "openbsd",
	"DragonFly": "dragonfly",
}

// noteSystem looks for a note of a system that has no OS/ABI number of its own.
func noteSystem(p *elf.Prog, order binary.ByteOrder) string {
	data, _ := io.ReadAll(io.LimitReader(p.Open(), maxNoteBytes))
	const header = 12
	for len(data) >= header {
		nameSize, descSize := uint64(order.Uint32(data)), uint64(order.Uint32(data[4:]))
		end := header + align4(nameSize)
		if end > uint64(len(data)) {
			return ""
		}
		name := string(bytes.TrimRight(data[header:header+nameSize], "\x00"))
		if system := noteSystems[name]; system != "" {
			return system
		}
		if end += align4(descSize); end > uint64(len(data)) {
			return ""
		}
		data = data[end:]
	}
	return ""
}

func align4(n uint64) uint64 { return (n + 3) &^ 3 }

// readString reads a segment as a string that ends with a zero byte.
func readString(p *elf.Prog, limit int64) string {
	data, _ := io.ReadAll(io.LimitReader(p.Open(), limit))
	text, _, _ := bytes.Cut(data, []byte{0})
	return string(text)
}
