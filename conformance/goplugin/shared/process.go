package shared

import (
	"errors"
	"os"
	"syscall"
)

// ProcessGone says that no process, not even a dead one that nobody waited for,
// has that ID.
func ProcessGone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer func() { _ = process.Release() }()
	err = process.Signal(syscall.Signal(0))
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}
