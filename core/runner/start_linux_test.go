package runner_test

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// The kernel refuses these files itself; the cases check the diagnosis.
func TestStartThatTheKernelRefuses(t *testing.T) {
	machine, ok := machines[here]
	if !ok {
		t.Skip("only on the machines that this test knows by their number in ELF")
	}
	other := elf.EM_RISCV
	for name, test := range map[string]struct {
		data  []byte
		mode  fs.FileMode
		is    error
		parts []string
	}{
		"another machine": {
			elfFile{kind: elf.ET_EXEC, machine: other}.bytes(t), 0o700, syscall.ENOEXEC,
			[]string{"is built for linux/riscv64, this machine is " + here},
		},
		"missing loader": {
			elfFile{kind: elf.ET_EXEC, machine: machine, interp: "/no/ld-musl-x86_64.so.1"}.bytes(t), 0o700, fs.ErrNotExist,
			[]string{"needs the loader", "of musl"},
		},
		"object file":     {elfFile{kind: elf.ET_REL, machine: machine}.bytes(t), 0o700, syscall.ENOEXEC, []string{"is an object file"}},
		"no permission":   {[]byte("#!/bin/sh\n"), 0o600, fs.ErrPermission, []string{"no execute permission (mode -rw-------)", "chmod +x"}},
		"no interpreter":  {[]byte("#!/no/interpreter -x\n"), 0o700, fs.ErrNotExist, []string{`for the missing interpreter "/no/interpreter"`}},
		"CRLF":            {[]byte("#!/bin/sh\r\necho\r\n"), 0o700, fs.ErrNotExist, []string{"CRLF", `"/bin/sh\r"`, "LF"}},
		"nameless":        {[]byte("#!  \n"), 0o700, syscall.ENOEXEC, []string{"without an interpreter"}},
		"a text":          {[]byte("echo hello\n"), 0o700, syscall.ENOEXEC, []string{"text without a #! line"}},
		"an empty file":   {nil, 0o700, syscall.ENOEXEC, []string{"is empty"}},
		"interpreter dir": {[]byte("#!/bin\n"), 0o700, fs.ErrPermission, []string{"interpreter of the script", `"/bin" is a directory`}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "plugin", test.data)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			before := census(t)
			failure := startFailure(t, runner.Command{Path: path})
			if !errors.Is(failure, test.is) {
				t.Errorf("%v is not %v", failure, test.is)
			}
			expect(t, failure.Reason, append(test.parts, path)...)
			before.awaitSame(t)
		})
	}
}

func TestStartOfLinks(t *testing.T) {
	dir := t.TempDir()
	dangling, loop := filepath.Join(dir, "dangling"), filepath.Join(dir, "loop")
	for link, target := range map[string]string{dangling: filepath.Join(dir, "gone"), loop: loop} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, startReason(t, runner.Command{Path: dangling}), "symbolic link to", "gone", "install that")
	expect(t, startReason(t, runner.Command{Path: loop}), "leads back to itself", "correct the link")
}

func TestStartByName(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	failure := startFailure(t, runner.Command{Path: "greeter"})
	if !errors.Is(failure, fs.ErrNotExist) || !errors.Is(failure, exec.ErrNotFound) {
		t.Error(failure)
	}
	expect(t, failure.Reason, "none of the 1 directories of PATH")

	script := filepath.Join(dir, "greeter")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho found\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, startReason(t, runner.Command{Path: "greeter"}), "in the PATH directory", "no execute permission", "chmod +x")

	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	if stdout, _ := readBoth(t, started(t, runner.Command{Path: "greeter"})); stdout != "found\n" {
		t.Errorf("got %q", stdout)
	}

	t.Setenv("PATH", ".")
	t.Chdir(dir)
	failure = startFailure(t, runner.Command{Path: "greeter"})
	if !errors.Is(failure, exec.ErrDot) {
		t.Error(failure)
	}
	expect(t, failure.Reason, "current directory", `name it "./greeter"`)
}

func TestRelativePathIsRelativeToDir(t *testing.T) {
	path := write(t, "greeter", []byte("#!/bin/sh\necho here\n"))
	cmd := runner.Command{Path: "./greeter", Dir: filepath.Dir(path)}
	if stdout, _ := readBoth(t, started(t, cmd)); stdout != "here\n" {
		t.Errorf("got %q", stdout)
	}
	cmd.Path = "./other"
	expect(t, startReason(t, cmd), filepath.Join(cmd.Dir, "other"), "does not exist")
}

func TestStartOfFileThatIsBeingWritten(t *testing.T) {
	path := write(t, "plugin", []byte("#!/bin/sh\n"))
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	failure := startFailure(t, runner.Command{Path: path})
	if !errors.Is(failure, syscall.ETXTBSY) {
		t.Fatal(failure)
	}
	expect(t, failure.Reason, "open for writing in this process itself", "closed")
}

func TestStartNamesTheProcessThatIsWriting(t *testing.T) {
	path := write(t, "plugin", []byte("#!/bin/sh\n"))
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := helper("hang")
	cmd.Stdin = file // the other process now has it
	writer := started(t, cmd)
	awaitReady(t, writer)
	file.Close()
	expect(t, startReason(t, runner.Command{Path: path}), "open for writing in process "+writer.ID()+" (")
}

// Every installer of plugins writes a program and starts it while others start; see
// golang.org/issue/22315.
func TestFilesJustWrittenStartBesideOtherStarts(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 25 {
				path := filepath.Join(dir, strconv.Itoa(worker)+"-"+strconv.Itoa(i))
				if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
					t.Error(err)
					return
				}
				p := runner.NewProcess(runner.Command{Path: path})
				if err := p.Start(t.Context()); err != nil {
					t.Error(err)
					return
				}
				p.Stdout().Close()
				p.Stderr().Close()
				if exit, err := p.Wait(t.Context()); err != nil || !exit.Success() {
					t.Error(exit, err)
				}
			}
		})
	}
	group.Wait()
}

func TestStartWithTooLargeAnEnvironment(t *testing.T) {
	cmd := helper("exit", "0")
	cmd.Env = append(cmd.Env, "HUGE="+strings.Repeat("x", 1<<20))
	expect(t, startReason(t, cmd), "the longest is variable HUGE, 1048581 bytes", "shorten")
}

func TestStartFromNoexecFileSystem(t *testing.T) {
	path := filepath.Join(noexecDir(t), "plugin")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	failure := startFailure(t, runner.Command{Path: path})
	if !errors.Is(failure, fs.ErrPermission) {
		t.Error(failure)
	}
	expect(t, failure.Reason, "mounted noexec", "move it")
}

// noexecDir finds or mounts a directory on a file system without execution.
func noexecDir(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skip("needs: the list of mounts: ", err)
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[2] != "tmpfs" || !strings.Contains(","+fields[3]+",", ",noexec,") {
			continue
		}
		if dir, err := os.MkdirTemp(fields[1], "jackfield-test-"); err == nil { //nolint:usetesting // the file system is the point
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_NOEXEC, ""); err != nil {
		t.Skipf("needs: a noexec file system to write to, or the right to mount one: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestDiagnoseWithoutTheRightToSearchADirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "plugin")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	var got string
	asNobody(t, func() { got = runner.Diagnose(path, fs.ErrPermission) })
	expect(t, got, "may not search the directory", dir, "(mode drw-------)", "chmod +x")
}

// asNobody runs f without the rights of root, if the test has them. The right to
// files belongs to the thread, and the thread ends with f.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocks it
		err := syscall.Setfsuid(65534)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("needs: the right to act as another user: ", err)
	}
}

func TestDiagnoseAfterTheEnd(t *testing.T) {
	machine, ok := machines[here]
	if !ok {
		t.Skip("only on the machines that this test knows by their number in ELF")
	}
	library := elfFile{kind: elf.ET_DYN, machine: machine, dynamic: true, flags1: elf.DF_1_NOW}.bytes(t)
	for name, test := range map[string]struct {
		data  []byte
		env   []string
		parts []string // nil: nothing is to be said
	}{
		"shared library": {library, nil, []string{"is a shared library"}},
		"env does not find it": {
			[]byte("#!/usr/bin/env no-such-interpreter\n"), []string{"PATH=/bin:/usr/bin"},
			[]string{`is a script for "no-such-interpreter"`, "missing from the plugin's PATH", "install it"},
		},
		"env finds it":     {[]byte("#!/usr/bin/env sh\nexit 127\n"), []string{"PATH=/bin:/usr/bin"}, nil},
		"env without PATH": {[]byte("#!/usr/bin/env sh\nexit 127\n"), nil, nil},
		"env with CRLF":    {[]byte("#!/usr/bin/env sh\r\nexit 3\r\n"), []string{"PATH=/bin"}, []string{"CRLF", `"sh\r"`}},
		"an orderly end":   {[]byte("#!/usr/bin/env -S sh\n"), []string{"PATH=/bin"}, nil},
		"another status":   {[]byte("#!/bin/sh\nexit 1\n"), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := started(t, runner.Command{Path: write(t, "plugin", test.data), Env: test.env})
			exit := waitExit(t, p)
			got := p.Diagnose(t.Context())
			if test.parts == nil {
				if got != "" {
					t.Errorf("%v: %q", exit, got)
				}
				return
			}
			if got == "" {
				t.Fatalf("%v, and nothing said", exit)
			}
			expect(t, got, test.parts...)
		})
	}
}
