//go:build unix && !linux

package socket

import (
	"os"
	"syscall"
)

// openAt opens a file in the directory. Package syscall has no openat(2) here, but
// an [os.Root] does: once it is known to be of the same directory.
func (m madeDir) openAt(name string, flags int) (int, error) {
	root, err := os.OpenRoot(m.path)
	if err != nil {
		return -1, err
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	info, err := root.Lstat(".")
	if err != nil {
		return -1, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || idOf(stat) != m.id {
		return -1, errExchanged
	}
	file, err := root.OpenFile(name, flags, 0o644)
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
