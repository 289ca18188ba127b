package socket

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// What package syscall does not have (open(2), chown(2)).
const (
	openPath    = 0x200000
	atEmptyPath = 0x1000
)

// madeSocket is a socket in the file system, by a descriptor: what is put at its
// path meanwhile is not touched.
type madeSocket struct {
	fd   int
	path string
}

func openSocket(path string) (madeSocket, error) {
	fd, err := open(path, openPath|syscall.O_NOFOLLOW)
	if err != nil {
		return madeSocket{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var stat syscall.Stat_t
	if err = syscall.Fstat(fd, &stat); err == nil {
		err = checkMade(&stat)
	}
	if err != nil {
		_ = syscall.Close(fd)
		return madeSocket{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return madeSocket{fd: fd, path: path}, nil
}

func (m madeSocket) close() { _ = syscall.Close(m.fd) }

func (m madeSocket) chown(uid, gid int) error {
	if err := syscall.Fchownat(m.fd, "", uid, gid, atEmptyPath); err != nil {
		return &fs.PathError{Op: "chown", Path: m.path, Err: err}
	}
	return nil
}

// chmod goes by a link that leads to the descriptor's file: fchmod(2) does not
// take a descriptor of this kind.
func (m madeSocket) chmod(mode os.FileMode) error {
	err := os.Chmod("/proc/self/fd/"+strconv.Itoa(m.fd), mode)
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return &fs.PathError{Op: "chmod", Path: m.path, Err: pathErr.Err}
	}
	return err
}
