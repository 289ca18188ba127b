//go:build unix && !aix && !solaris

package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Whoever closes a copy does not wait for a directory of any size to be read.
func TestClearingInAHurryLeavesTheRest(t *testing.T) {
	base := t.TempDir()
	long := time.Now().Add(-time.Hour)
	const many = abandonedAtLeast + 2*abandonedBatch
	for i := range many {
		dir := filepath.Join(base, privatePattern+strconv.Itoa(i))
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chtimes(dir, long, long)); err != nil {
			t.Fatal(err)
		}
	}
	hurry := make(chan struct{})
	close(hurry)
	removeAbandoned(base, hurry)
	left, err := os.ReadDir(base)
	if err != nil || len(left) == 0 || len(left) > many-abandonedAtLeast {
		t.Errorf("%d are left, %v", len(left), err)
	}
	removeAbandoned(base, make(chan struct{}))
	if left, err = os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}
