package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/discovery"
)

// binaryFormat is the platform information in the head of a program.
type binaryFormat struct {
	systems []string // any of them
	arches  []string // any of them; none: a processor unknown here
}

// runsOn reports whether the program runs on a platform.
func (f binaryFormat) runsOn(p discovery.Platform) bool {
	return slices.Contains(f.systems, p.OS) && (len(f.arches) == 0 || slices.Contains(f.arches, p.Arch))
}

// String returns the platform, the first one if there are several systems.
func (f binaryFormat) String() string {
	if len(f.arches) == 0 {
		return f.systems[0] + "_?"
	}
	return f.systems[0] + "_" + strings.Join(f.arches, "+")
}

const headRead = 4 << 10 // bytes of the head to look at

// readFormat looks at the head of a program. known is false for a script, and for
// whatever else is not ELF, Mach-O or PE.
func readFormat(r io.ReaderAt) (format binaryFormat, known bool, err error) {
	head := make([]byte, headRead)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return binaryFormat{}, false, err
	}
	head = head[:n]
	for _, parse := range []func([]byte) (binaryFormat, bool){parseELF, parseMachO, parseFatMachO, parsePE} {
		if format, known = parse(head); known {
			return format, true, nil
		}
	}
	return binaryFormat{}, false, nil
}

// elfSystems are the systems for a value of EI_OSABI. Most programs for the first
// ones have 0, Go's for the BSDs their own.
var elfSystems = map[byte][]string{
	0:  {"linux", "android", "dragonfly", "freebsd", "illumos", "netbsd", "openbsd", "solaris"},
	2:  {"netbsd"},
	3:  {"linux", "android"},
	6:  {"solaris", "illumos"},
	9:  {"freebsd"},
	12: {"openbsd"},
}

// elfMachine is e_machine, with the word size and the byte order where one value
// has several.
type elfMachine struct {
	machine uint16
	bits    int
	big     bool
}

var elfArches = map[elfMachine]string{
	{3, 32, false}:   "386",
	{62, 64, false}:  "amd64",
	{40, 32, false}:  "arm",
	{183, 64, false}: "arm64",
	{258, 64, false}: "loong64",
	{8, 32, true}:    "mips",
	{8, 32, false}:   "mipsle",
	{8, 64, true}:    "mips64",
	{8, 64, false}:   "mips64le",
	{21, 64, true}:   "ppc64",
	{21, 64, false}:  "ppc64le",
	{243, 64, false}: "riscv64",
	{22, 64, true}:   "s390x",
}

func parseELF(head []byte) (binaryFormat, bool) {
	if len(head) < 20 || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return binaryFormat{}, false
	}
	key := elfMachine{bits: 32, big: head[5] == 2}
	if head[4] == 2 {
		key.bits = 64
	}
	key.machine = binary.LittleEndian.Uint16(head[18:])
	if key.big {
		key.machine = binary.BigEndian.Uint16(head[18:])
	}
	systems, ok := elfSystems[head[7]]
	if !ok {
		systems = elfSystems[0]
	}
	return formatOf(systems, elfArches[key]), true
}

func formatOf(systems []string, arch string) binaryFormat {
	if arch == "" {
		return binaryFormat{systems: systems}
	}
	return binaryFormat{systems: systems, arches: []string{arch}}
}

var (
	machSystems = []string{"darwin", "ios"}
	machArches  = map[uint32]string{7: "386", 12: "arm", 7 | 1<<24: "amd64", 12 | 1<<24: "arm64"}
)

func parseMachO(head []byte) (binaryFormat, bool) {
	if len(head) < 8 {
		return binaryFormat{}, false
	}
	if magic := binary.LittleEndian.Uint32(head); magic != 0xfeedface && magic != 0xfeedfacf {
		return binaryFormat{}, false
	}
	return formatOf(machSystems, machArches[binary.LittleEndian.Uint32(head[4:])]), true
}

// parseFatMachO reads the table of a file with programs for several processors.
func parseFatMachO(head []byte) (binaryFormat, bool) {
	const entrySize, maxEntries = 20, 20 // a Java class has the same magic, and a larger number here
	if len(head) < 8 || binary.BigEndian.Uint32(head) != 0xcafebabe {
		return binaryFormat{}, false
	}
	count := binary.BigEndian.Uint32(head[4:])
	if count == 0 || count > maxEntries || len(head) < 8+int(count)*entrySize {
		return binaryFormat{}, false
	}
	format := binaryFormat{systems: machSystems}
	for i := range int(count) {
		if arch := machArches[binary.BigEndian.Uint32(head[8+i*entrySize:])]; arch != "" {
			format.arches = append(format.arches, arch)
		}
	}
	return format, true
}

var peArches = map[uint16]string{0x14c: "386", 0x8664: "amd64", 0x1c4: "arm", 0xaa64: "arm64"}

func parsePE(head []byte) (binaryFormat, bool) {
	const offsetAt = 0x3c
	if len(head) < offsetAt+4 || !bytes.HasPrefix(head, []byte("MZ")) {
		return binaryFormat{}, false
	}
	at := uint64(binary.LittleEndian.Uint32(head[offsetAt:]))
	if at+6 > uint64(len(head)) || !bytes.HasPrefix(head[at:], []byte("PE\x00\x00")) {
		return binaryFormat{}, false
	}
	return formatOf([]string{"windows"}, peArches[binary.LittleEndian.Uint16(head[at+4:])]), true
}
