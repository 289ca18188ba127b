//go:build unix

package runner

import (
	"errors"
	"os"
	"sync"
	"syscall"
)

// family is a process with its group, if it has one of its own. The group's number is the
// process's, so the system gives it to no other process before this one is collected.
type family struct {
	process *os.Process

	mu     sync.Mutex
	group  bool
	buried bool // the number may be another process's
}

func familyOf(process *os.Process, cmd Command) *family {
	return &family{process: process, group: cmd.Group && leadsGroup(cmd.SysProcAttr)}
}

// leadsGroup reports whether a process of a [Command.Group] gets its own group: not if the
// attributes put it into another.
func leadsGroup(attr *syscall.SysProcAttr) bool {
	return attr == nil || attr.Setsid || attr.Pgid == 0
}

// setFamily makes a new process lead its group, and end with this process.
func (c Command) setFamily(attr *syscall.SysProcAttr) {
	// A new session has a new group already, and its leader must not ask for another.
	if c.Group && leadsGroup(attr) && !attr.Setsid {
		attr.Setpgid = true
	}
	if !c.Outlive {
		endWithParent(attr)
	}
}

// signal signals the group, or the process alone.
func (f *family) signal(sig os.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	number, ok := sig.(syscall.Signal)
	if !f.group || f.buried || !ok {
		return f.process.Signal(sig)
	}
	if err := syscall.Kill(-f.process.Pid, number); !errors.Is(err, syscall.ESRCH) {
		return os.NewSyscallError("kill", err)
	}
	return os.ErrProcessDone
}

// bury waits for the end of the process, and kills the rest of its group. collect collects
// the process.
func (f *family) bury(collect func()) {
	if awaitEnd(f.process.Pid) {
		f.end(func() bool { return true })
		collect()
		return
	}
	collect()
	// A group that has members keeps its number from new processes. So without a process of
	// that number, the group is still the same.
	f.end(func() bool { return errors.Is(syscall.Kill(f.process.Pid, 0), syscall.ESRCH) })
}

// end kills the rest of the group, if it is still the process's.
func (f *family) end(same func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buried = true
	if f.group && same() {
		_ = syscall.Kill(-f.process.Pid, syscall.SIGKILL)
	}
}

// release leaves the group alone from now on.
func (f *family) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.group = false
}
