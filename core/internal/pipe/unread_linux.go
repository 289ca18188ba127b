package pipe

import (
	"syscall"
	"unsafe"
)

// unread returns the number of bytes in a pipe. Linux lets a process enlarge
// its pipe up to the administrator's limit, so a constant would be too small.
func unread(fd uintptr) int {
	// Not IoctlGetInt: in golang.org/x/sys v0.1.0 it passes the address of a variable as a number,
	// and loses the answer if the stack moves.
	var n int32
	// TIOCINQ is Linux's other name for FIONREAD, and the only name in package syscall.
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n))) //nolint:gosec // the ioctl stores an int there
	if errno != 0 || n < 0 {
		return maxDrain
	}
	return int(n)
}
