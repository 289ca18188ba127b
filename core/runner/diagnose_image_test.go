package runner_test

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

func TestDiagnoseProgramForAnotherMachine(t *testing.T) {
	for want, data := range map[string][]byte{
		"linux/arm64":                 elfFile{kind: elf.ET_EXEC, machine: elf.EM_AARCH64}.bytes(t),
		"linux/amd64":                 elfFile{kind: elf.ET_EXEC, machine: elf.EM_X86_64}.bytes(t),
		"linux/riscv64":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_RISCV}.bytes(t),
		"linux/loong64":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_LOONGARCH}.bytes(t),
		"linux/s390x":                 elfFile{kind: elf.ET_EXEC, machine: elf.EM_S390, data: elf.ELFDATA2MSB}.bytes(t),
		"linux/ppc64":                 elfFile{kind: elf.ET_EXEC, machine: elf.EM_PPC64, data: elf.ELFDATA2MSB}.bytes(t),
		"linux/ppc64le":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_PPC64}.bytes(t),
		"linux/mips64le":              elfFile{kind: elf.ET_EXEC, machine: elf.EM_MIPS}.bytes(t),
		"linux/sparcv9":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_SPARCV9, data: elf.ELFDATA2MSB}.bytes(t),
		"linux/mipsle":                elf32(t, elf.EM_MIPS),
		"linux/amd64p32":              elf32(t, elf.EM_X86_64),
		"freebsd/amd64":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_X86_64, osabi: elf.ELFOSABI_FREEBSD}.bytes(t),
		"netbsd/amd64":                elfFile{kind: elf.ET_EXEC, machine: elf.EM_X86_64, note: "NetBSD"}.bytes(t),
		"openbsd/arm64":               elfFile{kind: elf.ET_EXEC, machine: elf.EM_AARCH64, note: "OpenBSD"}.bytes(t),
		"darwin/arm64":                machoFile(t, macho.TypeExec, macho.CpuArm64),
		"darwin/amd64":                machoFile(t, macho.TypeExec, macho.CpuAmd64),
		"darwin/amd64 and darwin/ppc": fatFile(t, macho.CpuAmd64, macho.CpuPpc),
		"darwin/386":                  machoFile(t, macho.TypeExec, macho.Cpu386),
		"windows/amd64":               peFile(t, pe.IMAGE_FILE_MACHINE_AMD64, 0),
		"windows/arm64":               peFile(t, pe.IMAGE_FILE_MACHINE_ARM64, 0),
		"windows/386":                 peFile(t, pe.IMAGE_FILE_MACHINE_I386, 0),
	} {
		if want == here {
			continue
		}
		t.Run(want, func(t *testing.T) {
			path := write(t, "plugin", data)
			got := runner.Diagnose(path, errBadFormat)
			expect(t, got, path, "is built for "+want+",", "this machine is "+here, "install the build for "+here)
		})
	}
}

func TestDiagnoseUniversalProgram(t *testing.T) {
	path := write(t, "plugin", fatFile(t, macho.CpuAmd64, macho.CpuArm64))
	got := runner.Diagnose(path, nil)
	if runtime.GOOS == "darwin" {
		if got != "" {
			t.Errorf("got %q", got)
		}
		return
	}
	expect(t, got, "is built for darwin/amd64 and darwin/arm64,")
}

// Whether a 64-bit machine runs the 32-bit programs of its family depends on its
// set-up. Only the system's refusal answers it.
func TestDiagnoseOlderArchitectureOnlyWhenRefused(t *testing.T) {
	if here != "linux/amd64" {
		t.Skip("only on linux/amd64: others have no older architecture to run")
	}
	path := write(t, "plugin", elf32(t, elf.EM_386))
	if got := runner.Diagnose(path, nil); got != "" {
		t.Errorf("untried: %q", got)
	}
	expect(t, runner.Diagnose(path, errBadFormat), "is built for linux/386")
}

func TestDiagnoseELFThatIsNoProgram(t *testing.T) {
	machine, ok := machines[here]
	if !ok {
		t.Skip("only on Linux, and the machines that this test knows by their number in ELF")
	}
	for name, test := range map[string]struct {
		file  elfFile
		parts []string // nil: nothing is wrong
	}{
		"program":        {elfFile{kind: elf.ET_EXEC}, nil},
		"static PIE":     {elfFile{kind: elf.ET_DYN, dynamic: true, flags1: elf.DF_1_PIE}, nil},
		"shared library": {elfFile{kind: elf.ET_DYN, dynamic: true, flags1: elf.DF_1_NOW}, []string{"is a shared library", "package main"}},
		"object file":    {elfFile{kind: elf.ET_REL}, []string{"is an object file", "link it"}},
		"core dump":      {elfFile{kind: elf.ET_CORE}, []string{"is the core dump", "name the program"}},
		"cut off":        {elfFile{kind: elf.ET_EXEC, cut: 5000}, []string{"is truncated: it has 64 bytes", "require 5064", "again"}},
		"musl's loader": {
			elfFile{kind: elf.ET_DYN, dynamic: true, interp: "/no/lib/ld-musl-x86_64.so.1"},
			[]string{`needs the loader "/no/lib/ld-musl-x86_64.so.1" of musl`, "CGO_ENABLED=0"},
		},
		"glibc's loader": {
			elfFile{kind: elf.ET_EXEC, dynamic: true, interp: "/no/lib64/ld-linux-x86-64.so.2"},
			[]string{`needs the loader "/no/lib64/ld-linux-x86-64.so.2" of glibc`, "CGO_ENABLED=0"},
		},
		"another loader": {elfFile{kind: elf.ET_EXEC, interp: "/no/loader"}, []string{`needs the loader "/no/loader",`}},
	} {
		t.Run(name, func(t *testing.T) {
			test.file.machine = machine
			got := runner.Diagnose(write(t, "plugin", test.file.bytes(t)), nil)
			if test.parts == nil {
				if got != "" {
					t.Errorf("got %q", got)
				}
				return
			}
			expect(t, got, test.parts...)
		})
	}
}

func TestDiagnoseProgramThatWasCutOff(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux: the test cuts off an ELF program")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "plugin", data[:len(data)/4])
	expect(t, runner.Diagnose(path, nil), path, "is truncated", "again")
}

var machines = map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}

func FuzzDiagnose(f *testing.F) {
	t := new(testing.T)
	f.Add([]byte("#!/bin/sh\n"))
	f.Add([]byte("#!/usr/bin/env -S no-such-thing\r\n"))
	f.Add(elfFile{kind: elf.ET_DYN, machine: elf.EM_X86_64, interp: "/no", note: "NetBSD", dynamic: true}.bytes(t))
	f.Add(elfFile{kind: elf.ET_EXEC, machine: elf.EM_S390, data: elf.ELFDATA2MSB, cut: 1 << 63}.bytes(t))
	f.Add(elf32(t, elf.EM_386))
	f.Add(fatFile(t, macho.CpuAmd64, macho.CpuArm64))
	f.Add(peFile(t, pe.IMAGE_FILE_MACHINE_AMD64, pe.IMAGE_FILE_DLL))
	path := filepath.Join(f.TempDir(), "plugin")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, startErr := range []error{nil, errBadFormat} {
			if got := runner.Diagnose(path, startErr); len(got) > 1<<16 {
				t.Errorf("%d bytes", len(got))
			}
		}
	})
}
