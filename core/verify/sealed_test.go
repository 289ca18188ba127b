package verify_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// self is the test binary.
func self(t *testing.T) runner.Command {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runner.Command{Path: path}
}

// write puts an executable file into a directory of the test's own.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// sealed seals the program of a command until the test ends.
func sealed(t *testing.T, cmd runner.Command, cfg verify.SealConfig) runner.Command {
	t.Helper()
	file, err := cmd.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Sealed, err = verify.Seal(t.Context(), file, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Sealed.Close() })
	return cmd
}

func TestSealedCopyIsTheProgramsContent(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 200_001) // more than is copied in one piece
	own, err := os.ReadFile(self(t).Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, magic := range []string{"#!/bin/sh\n", string(own[:256])} {
		path := write(t, "greeter", append([]byte(magic), want...))
		for kind, cfg := range map[string]verify.SealConfig{"by default": {}, "in a file": {InFile: true}, "in a given directory": {Dirs: []string{testkit.ShortDir(t)}}} {
			copied := sealed(t, runner.Command{Path: path}, cfg).Sealed
			got, err := io.ReadAll(io.NewSectionReader(copied, 0, copied.Size()))
			if err != nil || !bytes.Equal(got[len(magic):], want) {
				t.Errorf("%s: %d bytes, %v", kind, len(got), err)
			}
			if copied.Origin().Path != path || copied.Origin().Mode != 0o700 {
				t.Errorf("%s: copied from %+v", kind, copied.Origin())
			}
		}
	}
}

func TestClosedSealedLeavesNothing(t *testing.T) {
	base := testkit.ShortDir(t)
	plugintest.NoLeaks(t)
	for _, cfg := range []verify.SealConfig{{}, {Dirs: []string{base}}} {
		cmd := sealed(t, self(t), cfg)
		path, err := cmd.Sealed.Path(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(cmd.Sealed.Close(), cmd.Sealed.Close()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", path, err)
		}
		if _, err := cmd.Sealed.Path(t.Context()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("its path is %v", err)
		}
		if _, err := cmd.Sealed.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("its content is %v", err)
		}
		if err := runner.NewProcess(cmd).Start(t.Context()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("it starts: %v", err)
		}
	}
}

func TestSealEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	plugintest.NoLeaks(t)
	base := testkit.ShortDir(t)
	for _, cfg := range []verify.SealConfig{{}, {Dirs: []string{base}}} {
		file, err := self(t).Open()
		if err != nil {
			t.Fatal(err)
		}
		_, err = verify.Seal(ctx, file, cfg)
		file.Close()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestSealSaysWhyNoDirectoryIsFit(t *testing.T) {
	file, err := self(t).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	_, err = verify.Seal(t.Context(), file, verify.SealConfig{Dirs: []string{missing}})
	if err == nil {
		t.Fatal("sealed")
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
}
