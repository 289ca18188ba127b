package runner

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// endWithParent makes the system end a new process at the end of this one, unless the attributes
// say otherwise. A plugin of this library leaves in order on SIGTERM.
func endWithParent(attr *syscall.SysProcAttr) {
	if attr.Pdeathsig == 0 {
		attr.Pdeathsig = syscall.SIGTERM
	}
}

// needsThread reports whether the process must not survive the thread that starts it (prctl(2),
// PR_SET_PDEATHSIG: the parent is a thread).
func (c Command) needsThread() bool {
	return !c.Outlive || c.SysProcAttr != nil && c.SysProcAttr.Pdeathsig != 0
}

// awaitEnd waits for the end of a child without collecting it. It returns false if another part
// of the program has collected the child.
func awaitEnd(pid int) bool {
	park(pid)
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}

// park waits for the end of a child in the runtime's poller, where it can. A call of the system would
// take a thread, which costs as much memory as the rest of a plugin's goroutines.
func park(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	_ = unix.SetNonblock(fd, true) // for the poller
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer func() { _ = pidfd.Close() }()
	if conn, err := pidfd.SyscallConn(); err == nil {
		_ = conn.Read(func(uintptr) bool { return hasEnded(pid) })
	}
}

// hasEnded reports whether a child has ended, or nobody can tell.
func hasEnded(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err != nil || info.Signo != 0
}
