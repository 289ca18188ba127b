//go:build unix

package testkit

import (
	"os"
	"syscall"
	"testing"
)

// Nobody is a user without files.
const Nobody = 65534

// AsAnotherUser goes on as a user with few rights, to the end of the test. Without
// root the test has few rights already.
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

// OfRoot skips a test with files of two users, unless root runs it.
func OfRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of others")
	}
}

// CommonDir is a directory within other users' reach, unlike t.TempDir's.
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
