//go:build unix

package lockfile_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery/lockfile"
)

// Nobody writes to the pipe, so a plain open would wait for ever.
func TestANamedPipeIsRefusedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	for name, read := range map[string]func(string) error{
		"Read": func(path string) error { _, err := lockfile.Read(path); return err },
		"Update": func(path string) error {
			return lockfile.Update(t.Context(), path, func(*lockfile.File) error { return nil })
		},
	} {
		done := make(chan error, 1)
		go func() { done <- read(path) }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "regular") {
				t.Errorf("%s: got %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s hangs", name)
		}
	}
}
