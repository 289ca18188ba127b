package pipe

import (
	"syscall"
	"unsafe"
)

// unread is how many bytes a pipe holds. Linux lets a process enlarge its pipe
// as far as the administrator allows, so no constant would do.
func unread(fd uintptr) int {
	// By hand: IoctlGetInt of golang.org/x/sys v0.1.0 hands over the address of a variable
	// as a number, so its answer is lost when the stack moves meanwhile.
	var n int32
	// TIOCINQ is Linux's other name for FIONREAD, the one that syscall has.
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n))) //nolint:gosec // the ioctl stores an int there
	if errno != 0 || n < 0 {
		return maxDrain
	}
	return int(n)
}
