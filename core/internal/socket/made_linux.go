package socket

import "syscall"

// openAt opens a file in the directory.
func (m madeDir) openAt(name string, flags int) (int, error) {
	return retry(func() (int, error) {
		return syscall.Openat(m.fd, name, flags|syscall.O_CLOEXEC, 0o644)
	})
}
