package shared

import (
	"errors"
	"os"
	"syscall"
)

// ProcessGone reports whether no process has that ID, including dead processes without a
// waiting parent.
func ProcessGone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer func() { _ = process.Release() }()
	err = process.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
