package diagnose

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"runtime"
	"strings"
)

const (
	maxSegments     = 64   // maximum number of segments to inspect
	maxNoteBytes    = 4096 // limit for one segment of notes
	maxDynamicBytes = 64 << 10
	maxLoaderPath   = 4096
)

// elfHeader holds the relevant fields of an ELF header of either width. It is
// decoded by hand, since debug/elf refuses truncated files.
type elfHeader struct {
	order       binary.ByteOrder
	class       elf.Class
	data        elf.Data
	osabi       elf.OSABI
	kind        elf.Type
	machine     elf.Machine
	segments    elfTable
	sectionsEnd int64
}

// elfTable is the position of a table in a file.
type elfTable struct {
	offset      uint64
	count, size uint16
}

// end returns the end of the table, or 0 if no file is that long.
func (t elfTable) end() int64 {
	if t.offset >= 1<<62 {
		return 0
	}
	return int64(t.offset) + int64(t.count)*int64(t.size)
}

// IsNative reports whether a file is an ELF program for this machine. The
// system runs it directly; other files need an interpreter or an emulator.
func IsNative(file io.ReaderAt) bool {
	head := make([]byte, headSize)
	n, _ := file.ReadAt(head, 0)
	if !bytes.HasPrefix(head[:n], []byte(elf.ELFMAG)) {
		return false
	}
	header, ok := readELFHeader(head[:n])
	return ok && elfArch(header) == runtime.GOARCH
}

// readELF reads an ELF file, even a truncated file.
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
		need:  max(header.sectionsEnd, header.segments.end()),
	}
	img.readSegments(c, header)
	return img, true
}

func readELFHeader(head []byte) (h elfHeader, ok bool) {
	if len(head) < elf.EI_NIDENT {
		return h, false
	}
	h.class, h.data = elf.Class(head[elf.EI_CLASS]), elf.Data(head[elf.EI_DATA])
	h.osabi = elf.OSABI(head[elf.EI_OSABI])
	h.order = binary.LittleEndian
	if h.data == elf.ELFDATA2MSB {
		h.order = binary.BigEndian
	}
	switch h.class {
	case elf.ELFCLASS64:
		var raw elf.Header64
		if binary.Read(bytes.NewReader(head), h.order, &raw) != nil {
			return h, false
		}
		h.kind, h.machine = elf.Type(raw.Type), elf.Machine(raw.Machine)
		h.segments = elfTable{raw.Phoff, raw.Phnum, raw.Phentsize}
		h.sectionsEnd = elfTable{raw.Shoff, raw.Shnum, raw.Shentsize}.end()
	case elf.ELFCLASS32:
		var raw elf.Header32
		if binary.Read(bytes.NewReader(head), h.order, &raw) != nil {
			return h, false
		}
		h.kind, h.machine = elf.Type(raw.Type), elf.Machine(raw.Machine)
		h.segments = elfTable{uint64(raw.Phoff), raw.Phnum, raw.Phentsize}
		h.sectionsEnd = elfTable{uint64(raw.Shoff), raw.Shnum, raw.Shentsize}.end()
	default:
		return h, false
	}
	return h, true
}

// elfSegment is an entry of the table of segments, of either width.
type elfSegment struct {
	kind         elf.ProgType
	offset, size uint64
}

// segment reads an entry of the table of segments.
func (h elfHeader) segment(r io.ReaderAt, index int) (s elfSegment, ok bool) {
	if h.segments.end() == 0 {
		return s, false
	}
	at := int64(h.segments.offset) + int64(index)*int64(h.segments.size)
	entry := io.NewSectionReader(r, at, int64(h.segments.size))
	if h.class == elf.ELFCLASS32 {
		var raw elf.Prog32
		err := binary.Read(entry, h.order, &raw)
		return elfSegment{elf.ProgType(raw.Type), uint64(raw.Off), uint64(raw.Filesz)}, err == nil
	}
	var raw elf.Prog64
	err := binary.Read(entry, h.order, &raw)
	return elfSegment{elf.ProgType(raw.Type), raw.Off, raw.Filesz}, err == nil
}

// end returns the end of the segment, or 0 if no file is that long.
func (s elfSegment) end() int64 {
	if s.offset >= 1<<61 || s.size >= 1<<61 {
		return 0
	}
	return int64(s.offset + s.size)
}

// read returns up to limit bytes of the segment, as far as the file has them.
func (s elfSegment) read(r io.ReaderAt, limit int64) []byte {
	if s.end() == 0 {
		return nil
	}
	data, _ := io.ReadAll(io.NewSectionReader(r, int64(s.offset), min(int64(s.size), limit)))
	return data
}

// readSegments reads the loader, the system, the kind of file and its length
// from the segments.
func (i *image) readSegments(r io.ReaderAt, h elfHeader) {
	var dynamic []byte
	for index := range min(int(h.segments.count), maxSegments) {
		s, ok := h.segment(r, index)
		if !ok {
			return
		}
		switch s.kind {
		case elf.PT_INTERP:
			loader, _, _ := bytes.Cut(s.read(r, maxLoaderPath), []byte{0})
			i.loader = string(loader)
		case elf.PT_DYNAMIC:
			dynamic = s.read(r, maxDynamicBytes)
		case elf.PT_NOTE:
			if system := noteSystem(s.read(r, maxNoteBytes), h.order); system != "" {
				i.os = system
			}
		case elf.PT_LOAD:
			i.need = max(i.need, s.end())
		}
	}
	// A position-independent program and a library share a type. A program has
	// a loader, or, if it is static, a flag.
	if h.kind == elf.ET_DYN && i.loader == "" && len(dynamic) > 0 && !isStaticPIE(dynamic, h) {
		i.kind = kindLibrary
	}
}

// isStaticPIE looks for a program's flag in a dynamic segment.
func isStaticPIE(dynamic []byte, h elfHeader) bool {
	word, value := 8, h.order.Uint64
	if h.class == elf.ELFCLASS32 {
		word, value = 4, func(b []byte) uint64 { return uint64(h.order.Uint32(b)) }
	}
	for ; len(dynamic) >= 2*word; dynamic = dynamic[2*word:] {
		switch elf.DynTag(value(dynamic)) {
		case elf.DT_NULL:
			return false
		case elf.DT_FLAGS_1:
			return elf.DynFlag1(value(dynamic[word:]))&elf.DF_1_PIE != 0
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

// elfSystem names the system of an OS/ABI number. Linux and some others use the
// number of no particular system. Some of these add a note. Files without any
// mark get the benefit of the doubt on systems that leave none.
func elfSystem(abi elf.OSABI) string {
	if abi == elf.ELFOSABI_NONE {
		switch runtime.GOOS {
		case "dragonfly", "solaris", "illumos":
			return runtime.GOOS
		}
		return "linux"
	}
	return strings.ToLower(strings.TrimPrefix(abi.String(), "ELFOSABI_"))
}

// elfArch names the architecture as GOARCH does, otherwise as ELF does.
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

// noteSystems are the systems that mark their programs with a note.
var noteSystems = map[string]string{
	"FreeBSD":   "freebsd",
	"NetBSD":    "netbsd",
	"OpenBSD":   "openbsd",
	"DragonFly": "dragonfly",
}

// noteSystem looks for a note of a system without an OS/ABI number.
func noteSystem(data []byte, order binary.ByteOrder) string {
	const header = 12
	for len(data) >= header {
		nameSize, descSize := uint64(order.Uint32(data)), uint64(order.Uint32(data[4:]))
		end := header + align4(nameSize)
		if end > uint64(len(data)) {
			return ""
		}
		name := bytes.TrimRight(data[header:header+nameSize], "\x00")
		if system := noteSystems[string(name)]; system != "" {
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
