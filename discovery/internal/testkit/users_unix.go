//go:build unix

package testkit

import (
	"os"
	"syscall"
	"testing"
)

// Nobody is a user that owns nothing.
const Nobody = 65534

// AsAnotherUser goes on as a user that is not allowed everything, to the end of
// the test. A test that is not run by root is that already.
func AsAnotherUser(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := syscall.Seteuid(Nobody); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

// OfRoot skips a test that needs files of two users.
func OfRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of others")
	}
}

// CommonDir is a directory that other users can reach, unlike t.TempDir's.
func CommonDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "discovery") //nolint:usetesting // t.TempDir's is for this user alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
