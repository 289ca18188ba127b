package runner_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// memoryFile finds the descriptor of this process that a sealed program is in.
func memoryFile(t *testing.T) string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "/memfd:greeter") {
			return link
		}
	}
	t.Fatal("there is no memory file")
	return ""
}

func TestMemoryFileCannotBeChangedByAnybody(t *testing.T) {
	cmd := sealed(t, installed(t, "hello"), runner.SealConfig{})
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
	if err := os.Truncate(cmd.Path, runner.MaxMemoryCopy+1); err != nil {
		t.Fatal(err)
	}
	before := census(t)
	cmd = sealed(t, cmd, runner.SealConfig{})
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

func TestProcessInheritsItsProgramForReadingOnly(t *testing.T) {
	stdout, _ := readBoth(t, started(t, sealed(t, installed(t, "inherited"), runner.SealConfig{})))
	if !strings.HasPrefix(stdout, "3 /memfd:greeter") || !strings.HasSuffix(stdout, " bad file descriptor\n") ||
		strings.Count(stdout, "\n") != 1 {
		t.Errorf("got %q", stdout)
	}
	stdout, _ = readBoth(t, started(t, sealed(t, installed(t, "inherited"), runner.SealConfig{InFile: true})))
	if stdout != "" {
		t.Errorf("from a file it inherits %q", stdout)
	}
}

func TestStdinDoesNotGetInTheWayOfAProgramInMemory(t *testing.T) {
	cmd := sealed(t, installed(t, "cat"), runner.SealConfig{})
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
	for name, cfg := range map[string]runner.SealConfig{"in memory": {Shared: true}, "in a file": {Shared: true, InFile: true}} {
		t.Run(name, func(t *testing.T) {
			cmd := sealed(t, installed(t, "hello"), cfg)
			cmd.SysProcAttr = nobody
			if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "hello\n" {
				t.Errorf("got %q, %q", stdout, stderr)
			}
		})
	}
}

func TestWhereMemoryFilesMayNotRunTheCopyIsInAFile(t *testing.T) {
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
	_, err = runner.Seal(t.Context(), file, runner.SealConfig{Dirs: []string{filepath.Dir(path)}})
	if err == nil || !strings.Contains(err.Error(), "programs cannot be run there") {
		t.Errorf("got %v", err)
	}
}
