package runner_test

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"testing"
)

// These are files of other systems and machines for the diagnosis, as small as they
// can be.

// elfFile describes an ELF file of 64 bits.
type elfFile struct {
	kind    elf.Type
	machine elf.Machine
	data    elf.Data // zero: little endian
	osabi   elf.OSABI
	interp  string // zero: no loader
	note    string // zero: no note
	dynamic bool
	flags1  elf.DynFlag1
	cut     uint64 // the section table's claim beyond the end
}

func (f elfFile) bytes(t *testing.T) []byte {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if f.data == 0 {
		f.data = elf.ELFDATA2LSB
	}
	if f.data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	segments := f.segments(t, order)
	const headerSize, progSize = 64, 56
	offset := uint64(headerSize + progSize*len(segments))
	header := elf.Header64{
		Type: uint16(f.kind), Machine: uint16(f.machine), Version: 1, Entry: 0x400000,
		Ehsize: headerSize, Phentsize: progSize, Phnum: uint16(len(segments)), Shentsize: 64,
	}
	if len(segments) > 0 {
		header.Phoff = headerSize
	}
	if f.cut > 0 {
		header.Shoff, header.Shnum = f.cut, 1
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(f.data)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	header.Ident[elf.EI_OSABI] = byte(f.osabi)
	var file, bodies bytes.Buffer
	encode(t, &file, order, header)
	for _, s := range segments {
		size := uint64(len(s.body))
		encode(t, &file, order, elf.Prog64{
			Type: uint32(s.kind), Flags: uint32(elf.PF_R), Off: offset, Vaddr: offset, Filesz: size, Memsz: size, Align: 1,
		})
		bodies.Write(s.body)
		offset += size
	}
	file.Write(bodies.Bytes())
	return file.Bytes()
}

type segment struct {
	kind elf.ProgType
	body []byte
}

func (f elfFile) segments(t *testing.T, order binary.ByteOrder) []segment {
	var all []segment
	if f.interp != "" {
		all = append(all, segment{elf.PT_INTERP, []byte(f.interp + "\x00")})
	}
	if f.note != "" {
		var note bytes.Buffer
		name := append([]byte(f.note), 0)
		encode(t, &note, order, []uint32{uint32(len(name)), 0, 1})
		note.Write(name)
		note.Write(make([]byte, -len(name)&3))
		all = append(all, segment{elf.PT_NOTE, note.Bytes()})
	}
	if f.dynamic {
		var dynamic bytes.Buffer
		encode(t, &dynamic, order, []uint64{uint64(elf.DT_FLAGS_1), uint64(f.flags1), uint64(elf.DT_NULL), 0})
		all = append(all, segment{elf.PT_DYNAMIC, dynamic.Bytes()})
	}
	return all
}

// elf32 is the header of a program of 32 bits.
func elf32(t *testing.T, machine elf.Machine) []byte {
	header := elf.Header32{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 52, Phentsize: 32, Shentsize: 40}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	var file bytes.Buffer
	encode(t, &file, binary.LittleEndian, header)
	return file.Bytes()
}

func machoFile(t *testing.T, kind macho.Type, cpu macho.Cpu) []byte {
	var file bytes.Buffer
	encode(t, &file, binary.LittleEndian, macho.FileHeader{Magic: macho.Magic64, Cpu: cpu, Type: kind})
	encode(t, &file, binary.LittleEndian, uint32(0)) // reserved
	return file.Bytes()
}

func fatFile(t *testing.T, cpus ...macho.Cpu) []byte {
	const header, entry = 8, 20
	var file, bodies bytes.Buffer
	encode(t, &file, binary.BigEndian, []uint32{macho.MagicFat, uint32(len(cpus))})
	offset := uint32(header + entry*len(cpus))
	for _, cpu := range cpus {
		body := machoFile(t, macho.TypeExec, cpu)
		encode(t, &file, binary.BigEndian, macho.FatArchHeader{Cpu: cpu, Offset: offset, Size: uint32(len(body))})
		bodies.Write(body)
		offset += uint32(len(body))
	}
	file.Write(bodies.Bytes())
	return file.Bytes()
}

func peFile(t *testing.T, machine, characteristics uint16) []byte {
	const start = 0x40
	file := bytes.NewBuffer(make([]byte, 0, 256))
	file.WriteString("MZ")
	file.Write(make([]byte, 0x3c-2))
	encode(t, file, binary.LittleEndian, uint32(start))
	file.WriteString("PE\x00\x00")
	encode(t, file, binary.LittleEndian, pe.FileHeader{Machine: machine, Characteristics: characteristics})
	file.Write(make([]byte, 64)) // debug/pe reads past the header
	return file.Bytes()
}

func encode(t *testing.T, to *bytes.Buffer, order binary.ByteOrder, value any) {
	t.Helper()
	if err := binary.Write(to, order, value); err != nil {
		t.Fatal(err)
	}
}
