package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// installed is a program of the test's own: a copy of the test binary.
func installed(t *testing.T, role string) runner.Command {
	t.Helper()
	cmd := helper(role)
	path := filepath.Join(t.TempDir(), "greeter"+filepath.Ext(cmd.Path))
	copyFile(t, cmd.Path, path)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Path = path
	// Race-instrumented programs sleep for a second at their end otherwise.
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// sealed seals the program of a command until the test ends.
func sealed(t *testing.T, cmd runner.Command, cfg runner.SealConfig) runner.Command {
	t.Helper()
	file, err := cmd.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Sealed, err = runner.Seal(t.Context(), file, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Sealed.Close() })
	return cmd
}

// kinds are the ways in which a copy is kept.
func kinds(t *testing.T) map[string]runner.SealConfig {
	return map[string]runner.SealConfig{
		"by default":   {},
		"in a file":    {InFile: true},
		"in given dir": {Dirs: []string{privateBase(t)}},
		"in no dir":    {Dirs: []string{}, InFile: true}, // the same as nil
	}
}

// privateBase is a directory that is fit for copies.
func privateBase(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sealed-") //nolint:usetesting // t.TempDir's parent has mode 0777 less the umask
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestSealedProgramRunsWhateverBecomesOfItsFile(t *testing.T) {
	spoil := map[string]func(t *testing.T, path string){
		"left alone": func(*testing.T, string) {},
		"exchanged": func(t *testing.T, path string) {
			other := filepath.Join(t.TempDir(), "other")
			if err := os.WriteFile(other, []byte("#!/bin/sh\necho evil\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(other, path); err != nil {
				t.Fatal(err)
			}
		},
		"written into": func(t *testing.T, path string) {
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := file.WriteAt([]byte("#!/bin/sh\necho evil\nexit\n"), 0); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	}
	for kind, cfg := range kinds(t) {
		for what, spoil := range spoil {
			t.Run(kind+", "+what, func(t *testing.T) {
				cmd := sealed(t, installed(t, "hello"), cfg)
				spoil(t, cmd.Path)
				for range 2 { // again and again
					p := started(t, cmd)
					if stdout, stderr := readBoth(t, p); stdout != "hello\n" {
						t.Errorf("got %q, %q", stdout, stderr)
					}
				}
			})
		}
	}
}

func TestSealedProgramKeepsItsNameAndArguments(t *testing.T) {
	for kind, cfg := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			cmd := installed(t, "myself")
			cmd.Args = []string{"one", "two words"}
			p := started(t, sealed(t, cmd, cfg))
			stdout, _ := readBoth(t, p)
			lines := strings.Split(stdout, "\n")
			if lines[0] != cmd.Path || lines[2] != fmt.Sprintf("%q", cmd.Args) {
				t.Errorf("got %q", lines)
			}
			// What it is named by is the program's file name in any case.
			if executable, ok := strings.CutSuffix(lines[1], " <nil>"); !ok ||
				strings.TrimPrefix(filepath.Base(executable), "memfd:") != filepath.Base(cmd.Path) {
				t.Errorf("os.Executable: %s", lines[1])
			}
			if p.Name() != filepath.Base(cmd.Path) {
				t.Errorf("its name is %q", p.Name())
			}
		})
	}
}

func TestSealedCopyIsTheProgramsContent(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 200_001) // more than is copied in one piece
	own, err := os.ReadFile(helper("").Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, magic := range []string{"#!/bin/sh\n", string(own[:256])} {
		path := write(t, "greeter", append([]byte(magic), want...))
		for kind, cfg := range kinds(t) {
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
	base := privateBase(t)
	before := census(t)
	for _, cfg := range []runner.SealConfig{{}, {Dirs: []string{base}}} {
		cmd := sealed(t, installed(t, "hello"), cfg)
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
	before.awaitSame(t)
}

func TestSealEndsWithItsContext(t *testing.T) {
	before := census(t)
	base := privateBase(t)
	for _, cfg := range []runner.SealConfig{{}, {Dirs: []string{base}}} {
		file, err := installed(t, "hello").Open()
		if err != nil {
			t.Fatal(err)
		}
		_, err = runner.Seal(canceled(t), file, cfg)
		file.Close()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	before.awaitSame(t)
}

func TestSealedProgramServesManyStartsAtOnce(t *testing.T) {
	cmd := sealed(t, installed(t, "hello"), runner.SealConfig{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			p := started(t, cmd)
			if stdout, stderr := readBoth(t, p); stdout != "hello\n" {
				t.Errorf("got %q, %q", stdout, stderr)
			}
		})
	}
	wg.Wait()
}

func TestOpenSaysWhyThereIsNothingToRun(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		path  string
		is    error
		parts []string
	}{
		"missing":     {filepath.Join(dir, "missing"), fs.ErrNotExist, []string{"does not exist", "missing"}},
		"a directory": {dir, nil, []string{"is a directory"}},
		"unknown":     {"no-such-program-anywhere", fs.ErrNotExist, []string{"PATH"}},
		"empty":       {"", nil, []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runner.Command{Path: test.path}.Open()
			var failure *runner.StartError
			if !errors.As(err, &failure) || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("got %v", err)
			}
			expect(t, failure.Error(), test.parts...)
		})
	}
}

func TestSealSaysWhyNoDirectoryIsFit(t *testing.T) {
	file, err := installed(t, "hello").Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	missing := filepath.Join(t.TempDir(), "missing")
	_, err = runner.Seal(t.Context(), file, runner.SealConfig{Dirs: []string{missing}})
	if err == nil {
		t.Fatal("sealed")
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
}
