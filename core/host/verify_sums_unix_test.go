//go:build unix

package host_test

import (
	"crypto"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/verify"
)

// A named pipe would hold a launch up for longer than its context lasts.
func TestSumsFileIsNoPipe(t *testing.T) {
	cfg, _ := installed(t)
	sums := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := syscall.Mkfifo(sums, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Verify.Verifier = verify.SumsFile(crypto.SHA256, sums)
	failure := fail(t, within(t), cfg)
	var unread *verify.SumsError
	if !errors.As(failure, &unread) {
		t.Errorf("got %v", failure)
	}
	mention(t, failure, sums, "is not a regular file")
}
