package verify_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/verify"
)

func seal(t *testing.T, base, program string) *verify.Sealed {
	t.Helper()
	file, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	copied, err := verify.Seal(t.Context(), file, verify.SealConfig{Dirs: []string{base}})
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// A copy in use is open, so Windows itself tells it from one of an ended process.
func TestCopiesOfEndedProcessesAreRemovedOnWindows(t *testing.T) {
	base, program := t.TempDir(), filepath.Join(t.TempDir(), "greeter.exe")
	if err := os.WriteFile(program, []byte("MZ"), 0o700); err != nil {
		t.Fatal(err)
	}
	used := seal(t, base, program)
	inUse, err := used.Path(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left, foreign := filepath.Join(base, "jackfield-program-1"), filepath.Join(base, "jackfield-program-2")
	for _, name := range []string{filepath.Join(left, "greeter.exe"), filepath.Join(foreign, "a"), filepath.Join(foreign, "b")} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, nil, 0o500)); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, dir := range []string{left, foreign, filepath.Dir(inUse)} {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := seal(t, base, program).Close(); err != nil { // it waits for the sweep
		t.Error(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of an ended process: %v", err)
	}
	if entries, err := os.ReadDir(foreign); len(entries) != 2 {
		t.Errorf("a directory of two files: %v, %v", entries, err)
	}
	if info, err := os.Stat(inUse); err != nil || info.Mode().Perm()&0o200 != 0 {
		t.Errorf("the copy in use: %v, %v", info, err)
	}
	if err := errors.Join(used.Check(), used.Close()); err != nil {
		t.Error(err)
	}
}
