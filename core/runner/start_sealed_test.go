package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
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

// kinds are the ways in which a copy is kept.
func kinds(t *testing.T) map[string]verify.SealConfig {
	return map[string]verify.SealConfig{
		"by default":   {},
		"in a file":    {InFile: true},
		"in given dir": {Dirs: []string{testkit.ShortDir(t)}},
		"in no dir":    {Dirs: []string{}, InFile: true}, // the same as nil
	}
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

func TestSealedProgramServesManyStartsAtOnce(t *testing.T) {
	cmd := sealed(t, installed(t, "hello"), verify.SealConfig{})
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
