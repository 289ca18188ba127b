//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// dirID tells a directory from every other one that there is at the same time.
type dirID struct{ device, file uint64 }

// isAt reports whether the directory is at path, and not behind a link.
func (d dirID) isAt(path string) bool {
	var stat syscall.Stat_t
	return syscall.Lstat(path, &stat) == nil && isOf(&stat, syscall.S_IFDIR) && idOf(&stat) == d
}

// madeDir is a directory that this process has just made, by a descriptor: what is
// put at its path meanwhile is not touched.
type madeDir struct {
	fd   int
	path string
	id   dirID
}

// openMade opens it, for this user alone whatever the umask.
func openMade(path string) (made madeDir, err error) {
	defer func() {
		if err != nil {
			_ = syscall.Rmdir(path) // what is there now, if it is empty
		}
	}()
	fd, err := open(path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return madeDir{}, errTaken // an empty directory is nobody's
	}
	if err != nil {
		return madeDir{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	made = madeDir{fd: fd, path: path}
	var stat syscall.Stat_t
	if err = syscall.Fstat(fd, &stat); err == nil && !isMine(&stat, syscall.S_IFDIR) {
		err = errExchanged
	}
	if err != nil {
		made.close()
		return madeDir{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	made.id = idOf(&stat)
	if modeOf(&stat) == 0o700 { // as a rule
		return made, nil
	}
	if err = made.chmod(0o700); err != nil {
		made.close()
		return madeDir{}, err
	}
	return made, nil
}

func (m madeDir) close() { _ = syscall.Close(m.fd) }

func (m madeDir) chown(uid, gid int) error {
	if err := syscall.Fchown(m.fd, uid, gid); err != nil {
		return &fs.PathError{Op: "chown", Path: m.path, Err: err}
	}
	return nil
}

func (m madeDir) chmod(mode os.FileMode) error {
	if err := syscall.Fchmod(m.fd, uint32(mode.Perm())); err != nil {
		return &fs.PathError{Op: "chmod", Path: m.path, Err: err}
	}
	return nil
}

// open opens a file that no child of this process inherits.
func open(path string, flags int) (int, error) {
	return retry(func() (int, error) { return syscall.Open(path, flags|syscall.O_CLOEXEC, 0o644) })
}

// retry calls what a signal interrupts until none does.
func retry(call func() (int, error)) (int, error) {
	for {
		if fd, err := call(); !errors.Is(err, syscall.EINTR) {
			return fd, err
		}
	}
}
