package runner

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// handle is a process by its number and start.
type handle struct {
	process *os.Process
	started string
	began   time.Time
}

// begun is the time at which this program began: an exec(3) leaves the start of the process as it
// is, and its children.
var begun = time.Now()

// openHandle also returns the start of the process.
func openHandle(pid int) (_ *handle, started string, err error) {
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, "", err
	}
	began, err := beginningOf(pid)
	if err != nil {
		return nil, "", err
	}
	started = startText(began)
	return &handle{process: process, started: started, began: began}, started, nil
}

func (h *handle) alive() error {
	if started, err := startOf(h.process.Pid); err != nil || started != h.started {
		return os.ErrProcessDone
	}
	return nil
}

// signal compares the start of the process first, since the system sends signals to numbers.
func (h *handle) signal(sig os.Signal) error {
	if err := h.alive(); err != nil {
		return err
	}
	return h.process.Signal(sig)
}

// end returns the end of the process, if it has come.
func (h *handle) end() (exit Exit, ended bool) {
	if h.alive() == nil {
		return Exit{}, false
	}
	return collect(h.process.Pid, h.began.Before(begun)), true
}

// pause returns when the process may have ended, or false when stop is closed.
func (h *handle) pause(stop <-chan struct{}) bool { return pauseFor(watchInterval, stop) }

func (h *handle) close() {}

// startOf returns the start of the process.
func startOf(pid int) (string, error) {
	began, err := beginningOf(pid)
	if err != nil {
		return "", err
	}
	return startText(began), nil
}

func startText(began time.Time) string { return began.UTC().Format(time.RFC3339Nano) }

// zombie is the state of a process that has ended and was not collected (SZOMB, sys/proc.h).
const zombie = 5

func beginningOf(pid int) (time.Time, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	switch {
	case errors.Is(err, unix.EIO): // an answer without a process
		return time.Time{}, errNoProcess
	case err != nil:
		return time.Time{}, fmt.Errorf("look for the process: %w", err)
	case int(info.Proc.P_pid) != pid || info.Proc.P_stat == zombie:
		return time.Time{}, errNoProcess
	}
	return time.Unix(info.Proc.P_starttime.Unix()), nil
}
