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

// sweepAtLeast is how many names a sweep looks at though it is waited for: where a
// base holds not many more, each launch clears all that there is, and one that is as
// full as it may be holds nobody up.
const sweepAtLeast = 2 * sweepBatch

// sweep removes the directories in base that processes of this user left behind.
// Once hurry is closed, it ends as soon as it has looked at sweepAtLeast names.
func sweep(base string, hurry <-chan struct{}) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	for looked := 0; looked < sweepAtLeast || !isClosed(hurry); {
		names, err := dir.Readdirnames(sweepBatch)
		looked += len(names)
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

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// isDirName reports whether MakeDir gives such names.
func isDirName(name string) bool {
	random, ok := strings.CutPrefix(name, dirPattern)
	return ok && random != "" && strings.Trim(random, "0123456789") == ""
}

// clearAway removes a directory if it is this user's and nobody uses it.
func clearAway(path string) {
	dir, ok := openLeft(path)
	if !ok {
		return
	}
	defer dir.close()
	var info syscall.Stat_t
	fd, err := dir.openAt(ownerFile, syscall.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK)
	if errors.Is(err, fs.ErrNotExist) && syscall.Fstat(dir.fd, &info) == nil && isMine(&info, syscall.S_IFDIR) {
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
	if mayServe(fd) {
		return // a plugin of another library, without its host
	}
	if dir.id.isAt(path) {
		_ = os.RemoveAll(path)
	}
}

// openLeft opens a directory, which may be somebody's in which this process can
// read nothing. It is not one behind a link.
func openLeft(path string) (madeDir, bool) {
	fd, err := open(path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW)
	if err != nil {
		return madeDir{}, false
	}
	dir := madeDir{fd: fd, path: path}
	var stat syscall.Stat_t
	if syscall.Fstat(fd, &stat) != nil {
		dir.close()
		return madeDir{}, false
	}
	dir.id = idOf(&stat)
	return dir, true
}
