package verify_test

import (
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// A memory file without the right to execute stands for a security module: it refuses
// to run a memory file at the start only.
func TestStartFallsBackToAFileWhereMemoryIsRefused(t *testing.T) {
	if _, err := exec.LookPath("true"); err != nil {
		t.Skip("needs: the program true: ", err)
	}
	cmd := sealed(t, runner.Command{Path: "true"}, verify.SealConfig{})
	s := cmd.Sealed
	if _, memory, err := s.Executable(); err != nil || memory == nil {
		t.Skip("needs: programs in memory files: ", err)
	}
	refused, err := verify.CreateMemory("refused")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(refused, io.NewSectionReader(s, 0, s.Size())); err != nil {
		t.Fatal(err)
	}
	if err := refused.Chmod(0o400); err != nil {
		t.Fatal(err)
	}
	s.ReplaceMemory(refused)

	for range 2 { // the second time goes to the file at once
		p := runner.NewProcess(cmd)
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		exit, err := p.Wait(t.Context())
		_ = p.Stdout().Close()
		_ = p.Stderr().Close()
		if err != nil || !exit.Success() {
			t.Errorf("%v, %v", exit, err)
		}
	}
	if path, err := s.Path(t.Context()); err != nil {
		t.Error(err)
	} else if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
