//go:build unix

package discovery_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
)

// Nobody writes to the pipe, so a plain open would wait for ever.
func TestANamedPipeIsNotInstalled(t *testing.T) {
	for _, name := range []string{"greet-plugin-loud", "greet-plugin-loud_1.0.0.tar.gz"} {
		path := filepath.Join(t.TempDir(), name)
		if err := syscall.Mkfifo(path, 0o755); err != nil {
			t.Skip("needs: named pipes: ", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := store(t).Install(t.Context(), path, discovery.Install{})
			done <- err
		}()
		select {
		case err := <-done:
			if reason(err) != discovery.ReasonNotRegular {
				t.Errorf("got %v", err)
			}
		case <-time.After(patience):
			t.Fatal("it hangs")
		}
	}
}

func TestALockFileThatIsAPipeEndsAnInstallation(t *testing.T) {
	s := store(t)
	install(t, s, "greet-plugin-soft", "soft")
	s.Lock = filepath.Join(t.TempDir(), "lock")
	if err := syscall.Mkfifo(s.Lock, 0o600); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	path := put(t, t.TempDir(), "greet-plugin-loud", "x")
	done := make(chan error, 1)
	go func() {
		_, err := s.Install(t.Context(), path, discovery.Install{Undescribed: true})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("installed")
		}
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
	if got := files(t, s.Dir); got != "greet-plugin-soft"+suffix()+" "+discovery.StoreLock {
		t.Errorf("there are %s", got)
	}
}
