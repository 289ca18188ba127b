//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// startSweep begins to remove the directories in base that processes of this user
// left behind.
func startSweep(base string) *sweep.Sweep { return sweep.Start(base, dirPattern, clearAway) }

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
