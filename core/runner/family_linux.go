package runner

import (
	"errors"
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
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
