//go:build unix && !aix && !solaris

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// claim marks a private directory as in use for as long as its file is open: a
// lock that ends with the process, however that ends.
func claim(dir *os.File) {
	// A file system without locks is one whose directories are never cleared.
	_ = syscall.Flock(int(dir.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
}

const (
	// abandonedBatch is how many names are read at once from a directory, which
	// may be full of other things.
	abandonedBatch = 512
	// abandonedAtLeast is how many names are looked at though somebody waits.
	abandonedAtLeast = 8 * abandonedBatch
	// abandonedAge is how old a private directory without a claim must be: a new
	// one may be about to get its own.
	abandonedAge = time.Minute
)

// removeAbandoned removes the private directories of this user's that processes
// left which were killed. Once hurry is closed, it leaves the rest of a directory
// with very many names to the next one.
func removeAbandoned(base string, hurry <-chan struct{}) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	for looked := 0; looked < abandonedAtLeast || !isClosed(hurry); {
		names, err := dir.Readdirnames(abandonedBatch)
		looked += len(names)
		for _, name := range names {
			if path := filepath.Join(base, name); strings.HasPrefix(name, privatePattern) && isAbandoned(path) {
				_ = os.RemoveAll(path)
			}
		}
		if err != nil {
			return
		}
	}
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

func isAbandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || time.Since(info.ModTime()) < abandonedAge {
		return false
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return false
	}
	dir, err := os.Open(path)
	if err != nil {
		return false
	}
	defer dir.Close()
	return syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
