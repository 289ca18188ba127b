//go:build unix && !linux

package socket

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openAt opens a file in the directory. Package syscall has no openat(2) here, but
// an [os.Root] does.
func (m madeDir) openAt(name string, flags int) (int, error) {
	file, err := m.openFile(name, flags)
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err // the caller names the file
	}
	if err != nil {
		return -1, err
	}
	defer file.Close()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Dup(int(file.Fd()))
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

// openFile opens a file in what is at the directory's path, if that is it. A link
// is none, as with O_NOFOLLOW, which an os.Root does not heed within itself.
func (m madeDir) openFile(name string, flags int) (*os.File, error) {
	root, err := os.OpenRoot(m.path)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	info, err := root.Lstat(".")
	if err != nil {
		return nil, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || idOf(stat) != m.id {
		return nil, errExchanged
	}
	file, err := root.OpenFile(name, flags, 0o644)
	if err != nil {
		return nil, err
	}
	opened, err := file.Stat()
	if err == nil {
		info, err = root.Lstat(name)
	}
	if err == nil && !os.SameFile(info, opened) {
		err = syscall.ELOOP
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
