package runner_test

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// memoryFile finds the descriptor of this process that a sealed program is in.
func memoryFile(t *testing.T) string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(links, isMemory)
	if i < 0 {
		t.Fatal("there is no memory file")
	}
	return links[i]
}

func isMemory(link string) bool {
	target, err := os.Readlink(link)
	return err == nil && strings.HasPrefix(target, "/memfd:greeter")
}

func TestMemoryFileCannotBeChangedByAnybody(t *testing.T) {
	cmd := sealed(t, installed(t, "hello"), verify.SealConfig{})
	link := memoryFile(t)
	if _, err := os.OpenFile(link, os.O_RDWR|os.O_TRUNC, 0); err == nil {
		t.Error("it can be emptied")
	}
	if err := os.Truncate(link, 1<<30); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("making it longer: %v", err)
	}
	file, err := os.OpenFile(link, os.O_RDWR, 0)
	if err == nil {
		if _, err = file.WriteAt([]byte("evil"), 0); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("writing into it: %v", err)
		}
		if _, err = syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_WRITE, syscall.MAP_SHARED); err == nil {
			t.Error("it can be mapped for writing")
		}
		file.Close()
	}
	if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "hello\n" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestLargeProgramIsNotCopiedIntoMemory(t *testing.T) {
	cmd := installed(t, "hello")
	if err := os.Truncate(cmd.Path, verify.MaxMemoryCopy+1); err != nil {
		t.Fatal(err)
	}
	before := census(t)
	cmd = sealed(t, cmd, verify.SealConfig{})
	path, err := cmd.Sealed.Path(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "hello\n" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
	if err := cmd.Sealed.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy is left: %v", err)
	}
	before.awaitSame(t)
}

// In a container no directory may be fit for it.
func TestLargeProgramIsCopiedIntoMemoryWhereNothingElseIsLeft(t *testing.T) {
	large := installed(t, "hello")
	if err := os.Truncate(large.Path, verify.MaxMemoryCopy+1); err != nil {
		t.Fatal(err)
	}
	script := runner.Command{Path: write(t, "script", []byte("#!/bin/sh\n"))}
	unfit := testkit.ShortDir(t)
	if err := os.Chmod(unfit, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", unfit)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(unfit, "missing"))
	if stdout, stderr := readBoth(t, started(t, sealed(t, large, verify.SealConfig{}))); stdout != "hello\n" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
	for name, test := range map[string]struct {
		cmd runner.Command
		cfg verify.SealConfig
	}{
		"a script":          {script, verify.SealConfig{}},
		"in a directory":    {large, verify.SealConfig{Dirs: []string{unfit}}},
		"for who has paths": {large, verify.SealConfig{InFile: true}},
	} {
		file, err := test.cmd.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = verify.Seal(t.Context(), file, test.cfg); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
			t.Errorf("%s: %v", name, err)
		}
		file.Close()
	}
}

// The system may have an emulator for it, which opens it by its path.
func TestProgramOfAnotherMachineIsNotCopiedIntoMemory(t *testing.T) {
	machine := elf.EM_S390
	if runtime.GOARCH == "s390x" {
		machine = elf.EM_AARCH64
	}
	foreign := write(t, "greeter", elfFile{kind: elf.ET_EXEC, machine: machine}.bytes(t))
	path, err := sealed(t, runner.Command{Path: foreign}, verify.SealConfig{}).Sealed.Path(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob("/proc/self/fd/*"); err != nil || slices.ContainsFunc(files, isMemory) {
		t.Errorf("there is a memory file beside %s, %v", path, err)
	}
}

func TestProcessDoesNotInheritItsProgram(t *testing.T) {
	for kind, cfg := range kinds(t) {
		stdout, stderr := readBoth(t, started(t, sealed(t, installed(t, "inherited"), cfg)))
		if stdout != "" || stderr != "" {
			t.Errorf("%s: it inherits %q, %s", kind, stdout, stderr)
		}
	}
}

// A child's descriptors are moved before its program begins: beyond the highest of
// them, which may be the one below the program's.
func TestProgramInMemoryIsFoundAmongAnyDescriptors(t *testing.T) {
	open := func(n int) (files []*os.File) {
		for range n {
			file, err := os.Open(os.DevNull)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			files = append(files, file)
		}
		return files
	}
	low := open(12)
	cmd := sealed(t, installed(t, "myself"), verify.SealConfig{})
	around := open(6)
	for _, file := range low {
		file.Close() // these numbers are the pipes' now
	}
	for _, file := range around {
		cmd.Stdin = file
		stdout, stderr := readBoth(t, started(t, cmd))
		if !strings.Contains(stdout, "\n/memfd:greeter") {
			t.Errorf("with stdin at %d: %q, %q", file.Fd(), stdout, stderr)
		}
	}
}

// The numbers above its own may be out of bounds then.
func TestProgramThatWasSealedWithTheLastDescriptorsStarts(t *testing.T) {
	cmd := helper("sealLast", installed(t, "hello").Path)
	cmd.Env = append(cmd.Env, "TMPDIR=/missing", "HOME=/missing") // where it could be in a file
	if stdout, stderr := readBoth(t, started(t, cmd)); stdout != strings.Repeat("hello\n", 2) || stderr != "" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

// What a start fails for need not be that the program is in memory.
func TestFailedStartLeavesTheProgramInMemory(t *testing.T) {
	file := write(t, "file", nil)
	for name, spoil := range map[string]func(*runner.Command){
		"a missing directory":      func(c *runner.Command) { c.Dir = "/missing" },
		"a missing directory, too": func(c *runner.Command) { c.Dir, c.SysProcAttr = "/missing", &syscall.SysProcAttr{Setpgid: true} },
		"a file for a directory":   func(c *runner.Command) { c.Dir = file },
		"a group that may not be":  func(c *runner.Command) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			base := testkit.ShortDir(t)
			t.Setenv("TMPDIR", base)
			cmd := sealed(t, installed(t, "myself"), verify.SealConfig{})
			bad := cmd
			spoil(&bad)
			startFailure(t, bad)
			if left, err := os.ReadDir(base); err != nil || len(left) > 1 { // the directory of the test
				t.Errorf("left are %v, %v", left, err)
			}
			if stdout, stderr := readBoth(t, started(t, cmd)); !strings.Contains(stdout, "\n/memfd:greeter") {
				t.Errorf("got %q, %q", stdout, stderr)
			}
		})
	}
}

func TestStartThatMayNotBecomeAnotherUserLeavesTheProgramInMemory(t *testing.T) {
	program := installed(t, "failAndRun")
	dir := filepath.Dir(program.Path)
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// With this the program could not be copied to a file, and would say so.
	program.Env = append(program.Env, "TMPDIR=/missing", "HOME=/missing")
	program.Args = []string{program.Path}
	if os.Geteuid() == 0 {
		program.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	stdout, stderr := readBoth(t, started(t, program))
	if !strings.Contains(stdout, "operation not permitted\n") || strings.Contains(stdout, "/missing") ||
		!strings.Contains(stdout, "\n/memfd:greeter") {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestStdinDoesNotGetInTheWayOfAProgramInMemory(t *testing.T) {
	cmd := sealed(t, installed(t, "cat"), verify.SealConfig{})
	file, err := os.Open(write(t, "text", []byte("from a file")))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdin = file
	if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "from a file" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestSealedProgramRunsAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs: root, to run something as another user")
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	for name, cfg := range map[string]verify.SealConfig{"in memory": {Shared: true}, "in a file": {Shared: true, InFile: true}} {
		t.Run(name, func(t *testing.T) {
			cmd := sealed(t, installed(t, "hello"), cfg)
			cmd.SysProcAttr = nobody
			if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "hello\n" {
				t.Errorf("got %q, %q", stdout, stderr)
			}
		})
	}
}

func TestSealedProgramRunsFromMemoryInNamespaces(t *testing.T) {
	only := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	for name, flags := range map[string]uintptr{
		"of users":                 syscall.CLONE_NEWUSER,
		"of users and processes":   syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		"of users and file system": syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := sealed(t, installed(t, "myself"), verify.SealConfig{})
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  flags,
				UidMappings: only(os.Getuid()),
				GidMappings: only(os.Getgid()),
			}
			p := runner.NewProcess(cmd)
			if err := p.Start(t.Context()); err != nil {
				t.Skip("needs: the right to make a namespace of users: ", err)
			}
			defer p.Stderr().Close()
			defer p.Stdout().Close()
			if stdout, stderr := readBoth(t, p); !strings.Contains(stdout, "\n/memfd:greeter") {
				t.Errorf("got %q, %q", stdout, stderr)
			}
		})
	}
}

func TestSealedProgramRunsFromAFileWhereMemoryFilesMayNot(t *testing.T) {
	cmd := helper("sealAndRun", installed(t, "hello").Path)
	cmd.Env = append(cmd.Env, "TMPDIR="+os.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	p := runner.NewProcess(cmd)
	if err := p.Start(t.Context()); err != nil {
		t.Skip("needs: the right to make a namespace of processes: ", err)
	}
	defer p.Stdout().Close()
	stdout, stderr := readBoth(t, p)
	if strings.HasPrefix(stdout, "needs:") {
		t.Skip(stdout)
	}
	if stdout != "hello\n" {
		t.Errorf("got %q, %q", stdout, stderr)
	}
}

func TestSealedProgramStartsFromNoexecOnlyWhereItsFileWould(t *testing.T) {
	path := filepath.Join(noexecDir(t), "greeter")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := runner.Command{Path: path}.Open()
	if !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("got %v", err)
	}
	expect(t, err.Error(), "mounted noexec")

	file, err := installed(t, "hello").Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = verify.Seal(t.Context(), file, verify.SealConfig{Dirs: []string{filepath.Dir(path)}})
	if err == nil || !strings.Contains(err.Error(), "programs cannot be run there") {
		t.Errorf("got %v", err)
	}
}
