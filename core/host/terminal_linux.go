package host

import "golang.org/x/sys/unix"

const getModes, setModes = unix.TCGETS, unix.TCSETS

// hasStopped reports whether a child process has been stopped since the last question.
func hasStopped(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
	return err == nil && info.Signo != 0
}
