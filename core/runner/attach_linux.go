package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// handle is a process by its pidfd, or on systems without them by its number and start.
type handle struct {
	process *os.Process
	started string
	pidfd   *os.File // nil: there are none
}

// openHandle also returns the start of the process.
func openHandle(pid int) (_ *handle, started string, err error) {
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, "", err
	}
	h := &handle{process: process}
	fd, err := unix.PidfdOpen(pid, 0)
	switch {
	case err == nil:
		_ = unix.SetNonblock(fd, true) // for the runtime's poller
		h.pidfd = os.NewFile(uintptr(fd), "pidfd")
	case errors.Is(err, unix.ESRCH):
		_ = process.Release()
		return nil, "", errNoProcess
	}
	// After the descriptors: the process with the number is theirs if it still runs.
	if h.started, err = startOf(pid); err == nil {
		err = h.alive()
	}
	if err != nil {
		h.close()
		return nil, "", err
	}
	return h, h.started, nil
}

func (h *handle) alive() error { return h.signal(unix.Signal(0)) }

// signal compares the start of the process first where the system sends signals to numbers.
func (h *handle) signal(sig os.Signal) error {
	if h.pidfd == nil && !h.isAtNumber() {
		return os.ErrProcessDone
	}
	return h.process.Signal(sig)
}

func (h *handle) isAtNumber() bool {
	started, err := startOf(h.process.Pid)
	return err == nil && started == h.started
}

// end returns the end of the process, if it has come.
func (h *handle) end() (exit Exit, ended bool) {
	if h.pidfd == nil {
		if h.isAtNumber() {
			return Exit{}, false
		}
		return collect(h.process.Pid, h.isInherited()), true
	}
	conn, err := h.pidfd.SyscallConn()
	if err != nil {
		return Exit{}, false
	}
	if err := conn.Control(func(fd uintptr) { ended = isReadable(fd) }); err != nil || !ended {
		return Exit{}, false
	}
	return collect(h.process.Pid, h.isInherited()), true
}

// isReadable reports whether the process of a pidfd has ended.
func isReadable(fd uintptr) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// pause returns when the process may have ended, or false when stop is closed.
func (h *handle) pause(stop <-chan struct{}) bool {
	if h.pidfd == nil {
		return pauseFor(watchInterval, stop)
	}
	conn, err := h.pidfd.SyscallConn()
	if err == nil {
		err = conn.Read(isReadable)
	}
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return pauseFor(watchInterval, stop)
	}
	return err == nil
}

// close ends pause too.
func (h *handle) close() {
	_ = h.process.Release()
	if h.pidfd != nil {
		h.pidfd.Close()
	}
}

// ticks are the unit of a process's start (proc_pid_stat(5), times(3)).
const ticks = time.Second / 100

// begun is the time since boot, in ticks, at which this program began: an exec(3) leaves the start
// of the process as it is, and its children.
var begun = func() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return now.Nano() / int64(ticks)
}()

// isInherited reports whether the process is older than this program.
func (h *handle) isInherited() bool {
	_, text, _ := strings.Cut(h.started, " ")
	began, err := strconv.ParseInt(text, 10, 64)
	return err == nil && began < begun
}

// bootFile has the ID of this boot of the machine.
const bootFile = "/proc/sys/kernel/random/boot_id"

// startOf returns the boot of the machine and the start of the process since then. A process that
// has ended and was not collected is none.
func startOf(pid int) (string, error) {
	boot, err := os.ReadFile(bootFile)
	if err != nil {
		return "", err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return "", errNoProcess
	}
	if err != nil {
		return "", err
	}
	// The second field, the name, is in parentheses and may have some in it.
	const state, start = 0, 19
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	switch {
	case len(fields) <= start:
		return "", fmt.Errorf("/proc/%d/stat has too few fields", pid)
	case fields[state] == "Z" || fields[state] == "X":
		return "", errNoProcess
	}
	return strings.TrimSpace(string(boot)) + " " + fields[start], nil
}
