//go:build unix

package runner

import (
	"errors"
	"os"
	"syscall"
)

// alive returns an error if a child has ended and was collected.
func alive(process *os.Process) error { return process.Signal(syscall.Signal(0)) }

// collect returns the status of an ended process that is a child of this process from before an
// exec(3). The rest of this program waits for each of its own children, and must get their status.
func collect(pid int, inherited bool) Exit {
	var status syscall.WaitStatus
	if !inherited {
		return Exit{Code: ExitUnknown}
	}
	for {
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || got != pid:
			return Exit{Code: ExitUnknown}
		}
		return exitOfStatus(status)
	}
}
