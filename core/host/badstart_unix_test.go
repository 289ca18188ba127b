//go:build unix

package host_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

func TestLaunchOfWhatCannotBeRunSaysWhy(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode fs.FileMode, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := map[string]struct {
		path string
		is   error
		says []string
	}{
		"no such file":            {filepath.Join(dir, "missing"), fs.ErrNotExist, []string{"missing"}},
		"not in PATH":             {"jackfield-no-such-plugin", fs.ErrNotExist, []string{"PATH"}},
		"not executable":          {write("plain", 0o644, []byte("#!/bin/sh\n")), fs.ErrPermission, []string{"chmod +x"}},
		"a directory":             {dir, nil, []string{"directory"}},
		"without its interpreter": {write("script", 0o755, []byte("#!/no/such/shell\n")), fs.ErrNotExist, []string{"/no/such/shell"}},
		"text":                    {write("text", 0o755, []byte("hello\n")), nil, nil},
		"empty":                   {write("empty", 0o755, nil), nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.Name = ""
			cfg.Command.Path = test.path
			failure := fail(t, within(t), cfg)
			var start *runner.StartError
			if !errors.As(failure, &start) || failure.Stage != host.StageStart {
				t.Fatalf("got %v", failure)
			}
			if test.is != nil && !errors.Is(failure, test.is) {
				t.Errorf("not a case of %v: %v", test.is, failure)
			}
			mention(t, failure, append(test.says, filepath.Base(test.path))...)
		})
	}
}

func TestLaunchOfAnotherArchitecturesProgramNamesIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux: the program of another architecture is ELF")
	}
	machine, name := elf.EM_S390, "s390"
	path := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(path, elfHeader(machine), 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "serve", "")
	cfg.Command.Path = path
	failure := fail(t, within(t), cfg)
	mention(t, failure, name, runtime.GOARCH)
}

// elfHeader is a 64-bit program for a machine, as far as a loader looks before
// it refuses it.
func elfHeader(machine elf.Machine) []byte {
	header := elf.Header64{
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(machine),
		Version:   uint32(elf.EV_CURRENT),
		Phoff:     64,
		Ehsize:    64,
		Phentsize: 56,
		Phnum:     1,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	made, err := binary.Append(nil, binary.BigEndian, header)
	if err != nil {
		panic(err)
	}
	return append(made, make([]byte, 56)...)
}
