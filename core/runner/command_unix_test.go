//go:build unix

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

func TestOpenDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "greeter")
	if err := syscall.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := runner.Command{Path: path}.Open()
	if err == nil {
		t.Fatal("opened")
	}
	expect(t, err.Error(), "is not a regular file")
}

func TestOpenRefusesWhatAStartWouldRefuse(t *testing.T) {
	path := write(t, "greeter", []byte("#!/bin/sh\n"))
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := runner.Command{Path: path}.Open()
	if !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("got %v", err)
	}
	expect(t, err.Error(), "no execute permission", "chmod +x")

	_, err = runner.Command{Path: "/bin/sh", SysProcAttr: &syscall.SysProcAttr{Chroot: "/"}}.Open()
	if err == nil || !strings.Contains(err.Error(), "SysProcAttr.Chroot") {
		t.Errorf("got %v", err)
	}
}

func TestOpenFindsWhatAStartWouldRun(t *testing.T) {
	path := write(t, "greeter", []byte("#!/bin/sh\n"))
	t.Setenv("PATH", filepath.Dir(path))
	for _, cmd := range []runner.Command{{Path: path}, {Path: "greeter"}, {Path: "./greeter", Dir: filepath.Dir(path)}} {
		file, err := cmd.Open()
		if err != nil {
			t.Error(err)
			continue
		}
		if got := file.Name(); got != path {
			t.Errorf("%+v: found %s", cmd, got)
		}
		file.Close()
	}
}
