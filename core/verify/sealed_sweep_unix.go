//go:build unix && !aix && !solaris

package verify

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// claim marks a private directory as in use for as long as its file is open. The lock
// ends with the process in any case.
func claim(dir *os.File) {
	// On a file system without locks the directories are never cleared.
	_ = syscall.Flock(int(dir.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
}

// startSweep begins to remove the private directories in base left by killed
// processes of this user.
func startSweep(base string) *sweep.Sweep { return sweep.Start(base, privatePattern, removeAbandoned) }

// abandonedAge is how old a private directory without a claim must be: a new one
// may be about to get its own.
const abandonedAge = time.Minute

// removeAbandoned removes an unused private directory. A directory with anything but
// the file of one copy is not a private directory, and stays.
func removeAbandoned(path string) {
	there, err := os.Lstat(path)
	if err != nil || !mayBeAbandoned(there) {
		return
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	dir, err := root.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	if opened, err := dir.Stat(); err != nil || !os.SameFile(there, opened) {
		return // somebody has put a link in its place
	}
	// Held until the directory is gone, so that no process takes it up meanwhile.
	if syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return
	}
	names, err := dir.Readdirnames(2) // one more than there may be
	if err != nil && !errors.Is(err, io.EOF) || len(names) > 1 {
		return
	}
	for _, name := range names {
		if info, err := root.Lstat(name); err != nil || !mayBeCopy(info) || root.Remove(name) != nil {
			return
		}
	}
	_ = syscall.Rmdir(path) // it takes an empty directory, and nothing else
}

func mayBeAbandoned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.IsDir() && int(stat.Uid) == os.Geteuid() && time.Since(info.ModTime()) >= abandonedAge
}

// mayBeCopy reports whether a file is as a copy is: nobody may write to it, or, while
// it is being made, its owner alone.
func mayBeCopy(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && (info.Mode().Perm() == 0o600 || info.Mode().Perm()&0o222 == 0)
}

// removeCopy removes a private directory.
func removeCopy(dir string) error { return os.RemoveAll(dir) }
