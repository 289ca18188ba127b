package lifeline

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/windows"
)

// JobName is the name of the job of a plugin's process. The host makes it, and the plugin holds it
// too, so that the host's end does not end the plugin at once.
func JobName(host, plugin int) string {
	return fmt.Sprintf(`Local\jackfield-%d-%d`, host, plugin)
}

// Line is a plugin's view of its host's process.
type Line struct {
	host   windows.Handle
	job    windows.Handle // 0: there is none
	closed windows.Handle // an event

	waited  chan struct{} // closed when Wait has returned
	closing sync.Once
}

// Take opens the lifeline announced by a host: value is its process ID.
func Take(value, _ string) (*Line, error) {
	pid, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("%q is not a process ID", value)
	}
	l := &Line{waited: make(chan struct{})}
	if l.host, err = windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid)); err != nil {
		return nil, os.NewSyscallError("OpenProcess", err)
	}
	if l.closed, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		_ = windows.CloseHandle(l.host)
		return nil, os.NewSyscallError("CreateEvent", err)
	}
	l.job = openJob(JobName(int(pid), os.Getpid()))
	return l, nil
}

// openJob returns a handle of this process's job, which keeps the job from ending; 0 without one.
func openJob(name string) windows.Handle {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0
	}
	// CreateJobObject opens an existing job too.
	job, err := windows.CreateJobObject(nil, text)
	if err != nil {
		return 0
	}
	return job
}

// Wait returns nil at the end of the host, and [ErrClosed] after Close. It is called once.
func (l *Line) Wait() error {
	defer close(l.waited)
	event, err := windows.WaitForMultipleObjects([]windows.Handle{l.closed, l.host}, false, windows.INFINITE)
	switch {
	case err != nil:
		return os.NewSyscallError("WaitForMultipleObjects", err)
	case event == windows.WAIT_OBJECT_0:
		return ErrClosed
	}
	return nil
}

// Close ends the wait, and returns true. The job's handle stays open until the end of the process.
func (l *Line) Close() bool {
	l.closing.Do(func() {
		_ = windows.SetEvent(l.closed)
		<-l.waited
		_ = windows.CloseHandle(l.closed)
		_ = windows.CloseHandle(l.host)
	})
	return true
}
