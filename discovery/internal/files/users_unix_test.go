//go:build unix

package files_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// nobody is a user without files.
const nobody = 65534

// become makes this process another user's, to the end of the test.
func become(t *testing.T, user int) {
	t.Helper()
	if err := syscall.Seteuid(user); err != nil {
		t.Skip("only root can become somebody else: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

// common is a directory in which everybody may write.
func common(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir, err := os.MkdirTemp("", "files") //nolint:usetesting // t.TempDir's is for this user alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLockWaitsForAnotherUser(t *testing.T) {
	path := filepath.Join(common(t), "file")
	unlock, err := files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	become(t, nobody)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := files.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	unlock()
	unlock, err = files.Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestLockInAnotherUsersDirectoryFailsAtOnce(t *testing.T) {
	dir := common(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	become(t, nobody)
	if _, err := files.Lock(t.Context(), filepath.Join(dir, "file")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
	if err := files.Write(filepath.Join(dir, "file"), []byte("x"), 0o600); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestLockThatIsNoRegularFileFailsAtOnce(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, ".pipe.lock"), 0o600); err != nil {
		t.Skip("needs: named pipes: ", err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, ".device.lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".directory.lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "device", "directory"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		unlock, err := files.Lock(ctx, filepath.Join(dir, name))
		if err == nil || ctx.Err() != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil {
			unlock()
		}
		cancel()
	}
}
