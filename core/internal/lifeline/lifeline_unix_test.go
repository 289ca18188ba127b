//go:build unix

package lifeline_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/internal/lifeline"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// made makes a pipe with a host.
func made(t testing.TB) (dir string, host *os.File) {
	t.Helper()
	dir = testkit.ShortDir(t)
	path := filepath.Join(dir, lifeline.File)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	host, err := lifeline.Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return dir, host
}

// wait waits as a plugin does, and returns the result.
func wait(t *testing.T, dir string) (*lifeline.Line, <-chan error) {
	t.Helper()
	line, err := lifeline.Take(lifeline.File, dir)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- line.Wait() }()
	return line, ended
}

func TestWaitEndsWithTheLastHost(t *testing.T) {
	dir, first := made(t)
	line, ended := wait(t, dir)
	second, err := lifeline.Hold(filepath.Join(dir, lifeline.File))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := second.WriteString("the plugin ignores this"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Errorf("ended with the first host: %v", err)
	default:
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	line.Close()
}

func TestWaitOfAPluginWhoseHostHasEndedBeforeEndsAtOnce(t *testing.T) {
	dir, host := made(t)
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	line, ended := wait(t, dir)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	line.Close()
}

func TestCloseEndsTheWait(t *testing.T) {
	dir, _ := made(t)
	line, ended := wait(t, dir)
	if !line.Close() {
		t.Error("Close did not end the wait")
	}
	if err := <-ended; !errors.Is(err, lifeline.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// FuzzTake checks that a host's variable opens nothing outside the directory, and nothing but a pipe.
func FuzzTake(f *testing.F) {
	for _, value := range []string{lifeline.File, "", ".", "..", "../x", "/dev/null", "a/b", "file", "\x00"} {
		f.Add(value)
	}
	dir, _ := made(f)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		line, err := lifeline.Take(value, dir)
		if (err == nil) != (value == lifeline.File) {
			t.Errorf("Take(%q): %v", value, err)
		}
		if err == nil {
			go func() { _ = line.Wait() }()
			line.Close()
		}
	})
}
