package host

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const getModes, setModes = unix.TIOCGETA, unix.TIOCSETA

// hasStopped reports whether a child process has been stopped since the last question.
func hasStopped(pid int) bool {
	const byProcess = 1                                                                                             // P_PID
	var info [128]byte                                                                                              // a siginfo_t has 104, and begins with the signal's number
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byProcess, uintptr(pid), uintptr(unsafe.Pointer(&info[0])), //nolint:gosec // the system fills it
		unix.WSTOPPED|unix.WNOHANG, 0, 0)
	return errno == 0 && [4]byte(info[:4]) != [4]byte{}
}
