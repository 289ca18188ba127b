package runner

import (
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/jackfield-go/jackfield/core/internal/lifeline"
)

// family is a process with the job of its children. The job ends with the last handle of it, and
// ends its processes then. A plugin of this library has a handle too, so it can leave in order.
type family struct {
	process *os.Process
	group   bool

	mu  sync.Mutex
	job windows.Handle // 0: there is none
}

// familyOf puts a new process into a job. Without one the process is alone: an older system, or
// one that forbids it, is no reason not to run plugins.
func familyOf(process *os.Process, cmd Command) *family {
	f := &family{process: process, group: cmd.Group}
	if cmd.Outlive && !cmd.Group {
		return f
	}
	name, err := windows.UTF16PtrFromString(lifeline.JobName(os.Getpid(), process.Pid))
	if err != nil {
		return f
	}
	if f.job, err = windows.CreateJobObject(nil, name); err != nil {
		return f
	}
	if err := f.join(!cmd.Outlive); err != nil {
		_ = windows.CloseHandle(f.job)
		f.job = 0
	}
	return f
}

func (f *family) join(ends bool) error {
	if err := f.endWithHandles(ends); err != nil {
		return err
	}
	const access = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE
	process, err := windows.OpenProcess(access, false, uint32(f.process.Pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	return windows.AssignProcessToJobObject(f.job, process)
}

// endWithHandles chooses whether the processes of the job end with its last handle.
func (f *family) endWithHandles(ends bool) error {
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	if ends {
		limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	}
	_, err := windows.SetInformationJobObject(f.job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))) //nolint:gosec // G103: the system takes the structure
	return err
}

// setFamily makes a new process lead a console's process group, for a Ctrl-Break of its own.
func (c Command) setFamily(attr *syscall.SysProcAttr) {
	if c.Group {
		attr.CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP
	}
}

// needsThread is false: the parent of a process is a process.
func (Command) needsThread() bool { return false }

// signal ends the job, or sends Ctrl-Break to the console's process group in place of SIGTERM.
// Without a group there is only the end, for the process alone.
func (f *family) signal(sig os.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.group || f.job == 0 {
		return f.process.Signal(sig)
	}
	switch sig {
	case os.Kill:
		return os.NewSyscallError("TerminateJobObject", windows.TerminateJobObject(f.job, 1))
	case syscall.SIGTERM:
		return os.NewSyscallError("GenerateConsoleCtrlEvent",
			windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(f.process.Pid)))
	}
	return f.process.Signal(sig)
}

// release leaves the children alone from now on.
func (f *family) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.group = false
	if f.job != 0 {
		_ = f.endWithHandles(false)
	}
}

// bury waits for the end of the process, and then ends the rest of a group. Without a group the
// children live on.
func (f *family) bury(collect func()) {
	collect()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.job == 0 {
		return
	}
	if f.group {
		_ = windows.TerminateJobObject(f.job, 1)
	} else {
		_ = f.endWithHandles(false)
	}
	_ = windows.CloseHandle(f.job)
	f.job = 0
}
