//go:build unix && !linux

package socket

import (
	"io/fs"
	"os"
	"syscall"
)

// madeSocket is the path of a socket. No descriptor can stand for it here, so each
// use looks before whether it is still that socket.
type madeSocket string

func openSocket(path string) (madeSocket, error) { return madeSocket(path), madeSocket(path).check() }

func (madeSocket) close() {}

func (m madeSocket) check() error {
	var stat syscall.Stat_t
	err := syscall.Lstat(string(m), &stat)
	if err == nil {
		err = checkMade(&stat)
	}
	if err != nil {
		return &fs.PathError{Op: "lstat", Path: string(m), Err: err}
	}
	return nil
}

func (m madeSocket) chown(uid, gid int) error {
	if err := m.check(); err != nil {
		return err
	}
	return os.Lchown(string(m), uid, gid)
}

func (m madeSocket) chmod(mode os.FileMode) error {
	if err := m.check(); err != nil {
		return err
	}
	return os.Chmod(string(m), mode)
}
