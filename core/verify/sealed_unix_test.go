//go:build unix

package verify_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/fileid"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

func TestPrivateCopyIsForThisUserAlone(t *testing.T) {
	base := testkit.ShortDir(t)
	if err := os.Chmod(base, 0o711); err != nil { // others get to their own files
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		mode      fs.FileMode
		shared    bool
		copy, dir fs.FileMode
	}{
		"private":             {0o755, false, 0o555, 0o700},
		"of the owner's":      {0o700, false, 0o500, 0o700},
		"set-user-ID is lost": {0o755 | fs.ModeSetuid, false, 0o555, 0o700},
		"shared":              {0o775, true, 0o555, 0o711},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}
			if err := os.Chmod(cmd.Path, test.mode); err != nil {
				t.Fatal(err)
			}
			path, err := sealed(t, cmd, verify.SealConfig{Dirs: []string{base}, Shared: test.shared}).Sealed.Path(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]fs.FileMode{path: test.copy, filepath.Dir(path): test.dir | fs.ModeDir} {
				if info, err := os.Stat(path); err != nil || info.Mode() != want {
					t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
				}
			}
		})
	}
}

func TestCopyThatWasChangedDoesNotStart(t *testing.T) {
	for name, strike := range map[string]func(path string) error{
		"written into": func(path string) error {
			return errors.Join(os.Chmod(path, 0o700), os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
		},
		"exchanged": func(path string) error {
			return errors.Join(os.Rename(path, path+"-old"), os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
		},
		"removed": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := sealed(t, runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}, verify.SealConfig{})
			path, err := cmd.Sealed.Path(t.Context())
			if err != nil || cmd.Sealed.Check() != nil {
				t.Fatal(err, cmd.Sealed.Check())
			}
			settle(t, path)
			if err := strike(path); err != nil {
				t.Fatal(err)
			}
			if err := runner.NewProcess(cmd).Start(t.Context()); !errors.Is(err, verify.ErrCopyChanged) {
				t.Errorf("start: %v", err)
			}
			if err := cmd.Sealed.Check(); !errors.Is(err, verify.ErrCopyChanged) {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// settle waits until the clock of the file system has moved on.
func settle(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for {
		if id, _ := fileid.Of(file); id.Settled(time.Now()) {
			return
		}
		<-time.After(time.Millisecond)
	}
}

func TestDirectoryThatOthersMayChangeIsNotFitForCopies(t *testing.T) {
	base := testkit.ShortDir(t)
	open := filepath.Join(base, "open")
	below := filepath.Join(open, "below")
	// The base lets others pass; they get to nothing beneath it otherwise.
	if err := errors.Join(os.Chmod(base, 0o755), os.MkdirAll(below, 0o700)); err != nil {
		t.Fatal(err)
	}
	file, err := runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		mode fs.FileMode
		dir  string
		fit  bool
	}{
		{0o777, open, false},
		{0o777, below, false},
		{0o770, below, false},
		{0o777 | fs.ModeSticky, open, true},
		{0o755, below, true},
	} {
		if err := os.Chmod(open, test.mode); err != nil {
			t.Fatal(err)
		}
		copied, err := verify.Seal(t.Context(), file, verify.SealConfig{Dirs: []string{test.dir}})
		if (err == nil) != test.fit {
			t.Errorf("mode %v, %s: %v", test.mode, test.dir, err)
		}
		if err == nil {
			_ = copied.Close()
		} else if !strings.Contains(err.Error(), strconv.Quote(open)) {
			t.Errorf("the error does not name the directory: %v", err)
		}
	}
}

func TestCopiesOfProcessesThatWereKilledAreRemoved(t *testing.T) {
	base := testkit.ShortDir(t)
	cmd := runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}
	inUse, err := sealed(t, cmd, verify.SealConfig{Dirs: []string{base}}).Sealed.Path(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	abandoned, fresh := filepath.Join(base, "jackfield-program-1"), filepath.Join(base, "jackfield-program-2")
	other := filepath.Join(base, "something-else")
	long := time.Now().Add(-time.Hour)
	for _, dir := range []string{abandoned, fresh, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "greeter"), nil, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{abandoned, other, filepath.Dir(inUse)} {
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Fatal(err)
		}
	}
	clearUp(t, cmd, base)
	if _, err := os.Stat(abandoned); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what nobody uses is left: %v", err)
	}
	for _, path := range []string{fresh, other, inUse} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// A directory with the name of a copy's directory may belong to somebody.
func TestSweepRemovesOnlyDirectoriesOfCopies(t *testing.T) {
	file := func(name string, mode fs.FileMode) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), nil, mode) }
	}
	all := func(put ...func(string) error) func(string) error {
		return func(dir string) (err error) {
			for _, put := range put {
				err = errors.Join(err, put(dir))
			}
			return err
		}
	}
	below := func(dir string) error { return os.Mkdir(filepath.Join(dir, ".git"), 0o500) }
	link := func(dir string) error { return os.Symlink("/missing", filepath.Join(dir, "greeter")) }
	pipe := func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "greeter"), 0o500) }
	base, elsewhere := testkit.ShortDir(t), testkit.ShortDir(t)
	stays := map[string]func(dir string) error{
		"jackfield-program-notes": file("greeter", 0o500),
		"jackfield-program-1a":    file("greeter", 0o500),
		"jackfield-program-":      file("greeter", 0o500),
		"jackfield-program-10":    all(file("greeter", 0o500), file("thesis.txt", 0o500)),
		"jackfield-program-11":    all(file("greeter", 0o500), below),
		"jackfield-program-12":    below,
		"jackfield-program-13":    link,
		"jackfield-program-14":    pipe,
		"jackfield-program-15":    file("thesis.txt", 0o644),
		"jackfield-program-16":    file("script", 0o700),
	}
	goes := map[string]func(dir string) error{
		"jackfield-program-20": file("greeter", 0o500),
		"jackfield-program-21": file("greeter", 0o555),
		"jackfield-program-22": file("greeter", 0o600), // half of it
		"jackfield-program-23": all(),
	}
	long := time.Now().Add(-time.Hour)
	put := func(dir string, fill func(string) error) {
		if err := errors.Join(os.Mkdir(dir, 0o700), fill(dir), os.Chtimes(dir, long, long)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dirs := range []map[string]func(string) error{stays, goes} {
		for name, fill := range dirs {
			put(filepath.Join(base, name), fill)
		}
	}
	linked := filepath.Join(elsewhere, "linked")
	put(linked, file("greeter", 0o500))
	if err := os.Symlink(linked, filepath.Join(base, "jackfield-program-30")); err != nil {
		t.Fatal(err)
	}
	clearUp(t, runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}, base)
	for name, fill := range stays {
		want := filepath.Join(elsewhere, name)
		put(want, fill)
		if got, want := namesIn(t, filepath.Join(base, name)), namesIn(t, want); !slices.Equal(got, want) {
			t.Errorf("of what is in %s are left %q, want %q", name, got, want)
		}
	}
	for name := range goes {
		if _, err := os.Stat(filepath.Join(base, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	if got := namesIn(t, linked); len(got) != 1 {
		t.Errorf("behind a link are left %q", got)
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// clearUp makes a copy beside others, waits until those are looked at, and removes
// it again.
func clearUp(t *testing.T, cmd runner.Command, base string) {
	t.Helper()
	copied := sealed(t, cmd, verify.SealConfig{Dirs: []string{base}}).Sealed
	copied.AwaitSweep()
	if err := copied.Close(); err != nil {
		t.Error(err)
	}
}

func TestAbandonedCopiesAreFoundAmongManyOtherFiles(t *testing.T) {
	base := testkit.ShortDir(t)
	long := time.Now().Add(-time.Hour)
	for i := range 40 {
		dir := filepath.Join(base, "jackfield-program-"+strconv.Itoa(i))
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chtimes(dir, long, long)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6000 {
		if err := os.WriteFile(filepath.Join(base, strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	clearUp(t, runner.Command{Path: write(t, "greeter", []byte("#!/bin/sh\n"))}, base)
	if left, err := filepath.Glob(filepath.Join(base, "jackfield-program-*")); err != nil || len(left) > 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}
