package runner_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// here is how this machine is called in a diagnosis.
const here = runtime.GOOS + "/" + runtime.GOARCH

// write puts an executable file into a directory of the test's own.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// expect checks that a diagnosis is one sentence with all the parts. The last part is
// the remedy.
func expect(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in diagnosis %q", part, got)
		}
	}
	if !strings.Contains(got, ": ") || strings.Contains(got, "\n") || strings.HasSuffix(got, ".") {
		t.Errorf("%q is not one sentence with an advice", got)
	}
}

func TestDiagnoseFindsNothingWrongWithAGoodProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, startErr := range []error{nil, fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid} {
		if got := runner.Diagnose(self, startErr); got != "" {
			t.Errorf("%v: %q", startErr, got)
		}
	}
}

func TestDiagnosePathThatLeadsNowhere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(dir, "plugins", "v2", "greeter")
	for name, test := range map[string]struct {
		path  string
		parts []string
	}{
		"no such file":      {filepath.Join(dir, "greeter"), []string{"does not exist, but its directory does", "check the name"}},
		"no such directory": {deep, []string{filepath.Join(dir, "plugins") + `" does not`, "exists up to", dir}},
		"through a file":    {filepath.Join(file, "greeter"), []string{"is not a directory", "check the path"}},
		"a directory":       {dir, []string{"is a directory", "name the program"}},
		"no path":           {"", []string{"is empty", "name the program"}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(test.path, `\`) {
				t.Skip("only where paths have no backslashes: they are quoted with doubled ones")
			}
			expect(t, runner.Diagnose(test.path, fs.ErrNotExist), test.parts...)
		})
	}
}

func TestDiagnoseEmptyFile(t *testing.T) {
	expect(t, runner.Diagnose(write(t, "empty", nil), nil), "is empty", "again")
}

func TestDiagnoseNameThatIsNotInPath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+t.TempDir())
	expect(t, runner.Diagnose("no-such-greeter", nil), "none of the 2 directories of PATH", "give its path")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("no-such-greeter", []byte("x"), 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, runner.Diagnose("no-such-greeter", nil), "not in PATH", "current directory", "name it")
	t.Setenv("PATH", "")
	expect(t, runner.Diagnose("other-greeter", nil), "an empty PATH", "give its path")
}

func TestDiagnoseFileThatIsNoProgram(t *testing.T) {
	for name, test := range map[string]struct {
		data  string
		parts []string
	}{
		"gzip":      {"\x1f\x8b\x08 and so on", []string{"is a gzip archive", "unpack"}},
		"zip":       {"PK\x03\x04 and so on", []string{"is a zip archive", "unpack"}},
		"HTML":      {"<!DOCTYPE html><title>404</title>", []string{"is an HTML page", "download"}},
		"LFS":       {"version https://git-lfs.github.com/spec/v1\n", []string{"Git LFS pointer", "git lfs pull"}},
		"archive":   {"!<arch>\n__.PKGDEF", []string{"archive of object files", "package main"}},
		"text":      {"echo hello\n", []string{"text without a #! line", "start it with"}},
		"long text": {strings.Repeat("ä", 300), []string{"text without a #! line"}},
		"BOM":       {"\xef\xbb\xbf#!/bin/sh\n", []string{"byte order mark", "save it without"}},
		"noise":     {"\x00\x01\x02\x03", []string{"is neither an ELF, Mach-O or PE program nor a script", "again"}},
		"short ELF": {"\x7fELF", []string{"is neither"}},
		"DOS":       {"MZ\x90\x00 a program of another age", []string{"is neither"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "plugin", []byte(test.data))
			expect(t, runner.Diagnose(path, nil), append(test.parts, path)...)
		})
	}
}

func TestDiagnoseWorkingDirectory(t *testing.T) {
	cmd := helper("exit", "0")
	cmd.Dir = filepath.Join(t.TempDir(), "gone")
	reason := startReason(t, cmd)
	expect(t, reason, "the working directory", "does not exist", "create it")
	cmd.Dir = write(t, "file", nil)
	expect(t, startReason(t, cmd), "the working directory", "is not a directory", "name a directory")
}

func TestDiagnoseIsSilentWithoutTime(t *testing.T) {
	p := runner.NewProcess(runner.Command{Path: filepath.Join(t.TempDir(), "gone")})
	if err := p.Start(t.Context()); err == nil {
		t.Fatal("started")
	}
	if got := p.Diagnose(canceled(t)); got != "" {
		t.Errorf("got %q", got)
	}
}

// startReason returns the reason of a start that must fail.
func startReason(t *testing.T, cmd runner.Command) string {
	t.Helper()
	err := startFailure(t, cmd)
	if !strings.Contains(err.Error(), err.Reason) || err.Reason == "" {
		t.Errorf("%q does not say %q", err, err.Reason)
	}
	if start, _, _ := strings.Cut(err.Error(), " ("); strings.Count(start, strconv.Quote(err.Path)) > 1 {
		t.Errorf("%q names the program twice", err)
	}
	return err.Reason
}

func startFailure(t *testing.T, cmd runner.Command) *runner.StartError {
	t.Helper()
	p := runner.NewProcess(cmd)
	err := p.Start(t.Context())
	if err == nil {
		_ = p.Kill(t.Context())
		t.Fatal("started")
	}
	failure, ok := err.(*runner.StartError)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return failure
}
