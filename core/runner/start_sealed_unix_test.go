//go:build unix

package runner_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

func TestSealedScriptRunsFromItsCopy(t *testing.T) {
	base := testkit.ShortDir(t)
	const script = "#!/usr/bin/env -S sh -e\necho \"hello $1 from $0\"\n"
	cmd := runner.Command{
		Path: write(t, "greeter", []byte(script)),
		Args: []string{"there"},
		Env:  []string{"PATH=/bin:/usr/bin"},
	}
	cmd = sealed(t, cmd, verify.SealConfig{Dirs: []string{base}})
	if err := os.WriteFile(cmd.Path, []byte("#!/bin/sh\necho evil\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	path, err := cmd.Sealed.Path(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if stdout, stderr := readBoth(t, started(t, cmd)); stdout != "hello there from "+path+"\n" {
			t.Errorf("got %q, %q", stdout, stderr)
		}
	}
	if filepath.Base(path) != "greeter" {
		t.Errorf("the copy is %s", path)
	}
}
