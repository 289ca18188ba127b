//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// sweepBatch is how many names are read at once from where the directories are,
// which may be full of other things.
const sweepBatch = 512

// sweep removes the directories in base that processes of this user left behind.
func sweep(base string) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(sweepBatch)
		for _, name := range names {
			if isDirName(name) {
				clearAway(filepath.Join(base, name))
			}
		}
		if err != nil {
			return
		}
	}
}

// isDirName reports whether MakeDir gives such names.
func isDirName(name string) bool {
	random, ok := strings.CutPrefix(name, dirPattern)
	return ok && random != "" && strings.Trim(random, "0123456789") == ""
}

// clearAway removes a directory if it is this user's and nobody uses it.
func clearAway(path string) {
	var info syscall.Stat_t
	fd, err := open(filepath.Join(path, ownerFile), syscall.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK)
	if errors.Is(err, fs.ErrNotExist) && syscall.Lstat(path, &info) == nil && isMine(&info, syscall.S_IFDIR) {
		// Left between the directory and its file; or about to get one, and then
		// its owner makes another. Only an empty directory is removed so.
		_ = syscall.Rmdir(path)
		return
	}
	if err != nil {
		return
	}
	o := &owner{fd: fd}
	defer o.release()
	if syscall.Fstat(fd, &info) != nil || !isMine(&info, syscall.S_IFREG) {
		return
	}
	// Whoever makes or uses the directory has a lock, so this one means that
	// nobody does, and holds new ones off.
	if flock(fd, syscall.LOCK_EX) != nil || !linked(fd) {
		return
	}
	if pid := served(fd); pid != 0 && runs(pid) {
		return // a plugin of another library, without its host
	}
	if syscall.Lstat(path, &info) == nil && isOf(&info, syscall.S_IFDIR) { // not a link to one
		_ = os.RemoveAll(path)
	}
}
