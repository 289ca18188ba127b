package runner

import (
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/windows"
)

// handle is a process: while it is open, no other process gets the number.
type handle struct {
	process *os.Process

	mu      sync.Mutex
	waiting windows.Handle // 0 after close
}

// alive is for children, whose numbers are theirs until they have been collected.
func alive(*os.Process) error { return nil }

// openHandle also returns the start of the process.
func openHandle(pid int) (_ *handle, started string, err error) {
	waiting, err := openProcess(pid)
	if err != nil {
		return nil, "", err
	}
	h := &handle{waiting: waiting}
	if h.process, err = os.FindProcess(pid); err == nil {
		started, err = startOf(pid)
	}
	if err == nil {
		err = h.alive()
	}
	if err != nil {
		h.close()
		return nil, "", err
	}
	return h, started, nil
}

func openProcess(pid int) (windows.Handle, error) {
	const access = windows.SYNCHRONIZE | windows.PROCESS_QUERY_LIMITED_INFORMATION
	opened, err := windows.OpenProcess(access, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return 0, errNoProcess
	}
	return opened, err
}

func (h *handle) alive() error {
	if _, ended := h.end(); ended {
		return os.ErrProcessDone
	}
	return nil
}

func (h *handle) signal(sig os.Signal) error { return h.process.Signal(sig) }

// end returns the end of the process, if it has come.
func (h *handle) end() (exit Exit, ended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == 0 {
		return Exit{}, false
	}
	if event, err := windows.WaitForSingleObject(h.waiting, 0); err != nil || event != windows.WAIT_OBJECT_0 {
		return Exit{}, false
	}
	var code uint32
	if windows.GetExitCodeProcess(h.waiting, &code) != nil {
		return Exit{Code: ExitUnknown}, true
	}
	return Exit{Code: int(code)}, true
}

// pause returns when the process may have ended, or false when stop is closed.
func (h *handle) pause(stop <-chan struct{}) bool { return pauseFor(watchInterval, stop) }

func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = windows.CloseHandle(h.waiting)
	h.waiting = 0
	if h.process != nil {
		_ = h.process.Release()
	}
}

// startOf returns the time at which the process was made, in the system's units.
func startOf(pid int) (string, error) {
	opened, err := openProcess(pid)
	if err != nil {
		return "", err
	}
	defer func() { _ = windows.CloseHandle(opened) }()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(opened, &created, &exited, &kernel, &user); err != nil {
		return "", err
	}
	return strconv.FormatUint(uint64(created.HighDateTime)<<32|uint64(created.LowDateTime), 10), nil
}
