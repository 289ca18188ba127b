package verify

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
)

// The file of a large program takes its time; a start from memory does not wait for
// it.
func TestCopyInMemoryIsOfUseWhileItsFileIsMade(t *testing.T) {
	s := inMemory(t)
	synctest.Test(t, func(t *testing.T) {
		s.filing = make(chan struct{}, 1) // of this test's
		using, used := make(chan struct{}), make(chan error)
		release := make(chan struct{})
		go func() {
			used <- s.InFile(t.Context(), func(string) error {
				close(using)
				<-release
				return nil
			})
		}()
		<-using
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if path, memory, err := s.Executable(); err != nil || memory == nil {
			t.Errorf("it runs %q, %v", path, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Path(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("its path: %v", err)
		}
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Errorf("closed while its file was in use: %v", err)
		default:
		}
		close(release)
		if err := errors.Join(<-used, <-closed); err != nil {
			t.Error(err)
		}
		if _, err := s.Path(t.Context()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("its path: %v", err)
		}
	})
}

// inMemory is a sealed program, closed with the test.
func inMemory(t *testing.T) *Sealed {
	t.Helper()
	path, err := exec.LookPath("true")
	if err != nil {
		t.Skip("needs: the program true: ", err)
	}
	program, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	s, err := Seal(t.Context(), program, SealConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if s.memory == nil {
		t.Skip("needs: programs in memory files")
	}
	return s
}
