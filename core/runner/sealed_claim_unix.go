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
	// maxAbandoned bounds how many names in a directory are looked at.
	maxAbandoned = 4096
	// abandonedAge is how old a private directory without a claim must be: a new
	// one may be about to get its own.
	abandonedAge = time.Minute
)

// removeAbandoned removes the private directories of this user's that processes
// left which were killed.
func removeAbandoned(base string) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxAbandoned)
	for _, name := range names {
		if path := filepath.Join(base, name); strings.HasPrefix(name, privatePattern) && isAbandoned(path) {
			_ = os.RemoveAll(path)
		}
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
