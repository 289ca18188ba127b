package runner

import (
	"io"
	"os"
	"testing"
)

// What refuses to run a memory file at the start only (a security module) is
// stood for by one that has no permission to be executed.
func TestStartThatMemoryIsRefusedToFallsBackToAFile(t *testing.T) {
	program, err := Command{Path: "true"}.Open()
	if err != nil {
		t.Skip("needs: the program true: ", err)
	}
	defer program.Close()
	s, err := Seal(t.Context(), program, SealConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.memory == nil {
		t.Skip("needs: programs in memory files")
	}
	refused, err := createMemory("refused")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(refused, io.NewSectionReader(s, 0, s.Size())); err != nil {
		t.Fatal(err)
	}
	if err := refused.Chmod(0o400); err != nil {
		t.Fatal(err)
	}
	_ = s.memory.Close()
	s.memory = refused

	for range 2 { // the second time goes to the file at once
		p := NewProcess(Command{Path: "true", Sealed: s})
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
