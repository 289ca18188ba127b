//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// Nobody writes to the pipe, so a plain open would wait for ever.
func TestInstallRefusesANamedPipe(t *testing.T) {
	for _, name := range []string{"greet-plugin-loud", "greet-plugin-loud_1.0.0.tar.gz"} {
		path := filepath.Join(t.TempDir(), name)
		if err := syscall.Mkfifo(path, 0o755); err != nil {
			t.Skip("needs: named pipes: ", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := newStore(t).Install(t.Context(), path, store.InstallOptions{})
			done <- err
		}()
		select {
		case err := <-done:
			if reason(err) != discovery.ReasonNotRegular {
				t.Errorf("got %v", err)
			}
		case <-time.After(testkit.Patience):
			t.Fatal("it hangs")
		}
	}
}

func TestInstallEndsAtALockFileThatIsAPipe(t *testing.T) {
	s := newStore(t)
	install(t, s, "greet-plugin-soft", "soft")
	s.Lock = filepath.Join(t.TempDir(), "lock")
	if err := syscall.Mkfifo(s.Lock, 0o600); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	path := testkit.Put(t, t.TempDir(), "greet-plugin-loud", "x")
	done := make(chan error, 1)
	go func() {
		_, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("installed")
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it hangs")
	}
	if got := files(t, s.Dir); got != "greet-plugin-soft"+suffix()+" "+store.LockFile {
		t.Errorf("there are %s", got)
	}
}

// Where the plugin should lie.
func TestListOpensNoPipe(t *testing.T) {
	s := newStore(t)
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(s.Dir, "greet-plugin-loud"+suffix()), 0o755); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	path := testkit.Put(t, t.TempDir(), "greet-plugin-loud", "x")
	done := make(chan error, 1)
	go func() {
		_, err := s.Install(t.Context(), path, store.InstallOptions{Undescribed: true})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("installed over it")
		}
	case <-testkit.Within(t).Done():
		t.Fatal("it waits")
	}
}
