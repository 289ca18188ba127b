//go:build !unix

package diagnose

import (
	"errors"
	"io/fs"
	"syscall"
)

// Errors of Windows without a name in package syscall.
const (
	errSharingViolation    = syscall.Errno(32)  // open in a mode that excludes running it
	errBadExeFormat        = syscall.Errno(193) // not a program
	errFilenameTooLong     = syscall.Errno(206) // also for the command line
	errMachineTypeMismatch = syscall.Errno(216) // a program for another machine
)

// IsBusy reports whether a file did not run because it is open for writing.
func IsBusy(err error) bool { return errors.Is(err, errSharingViolation) }

// isLinkLoop is for paths with too many symbolic links. This system has no
// distinct error for them.
func isLinkLoop(error) bool { return false }

// failureOf classifies the system's error.
func failureOf(err error) failure {
	switch {
	case err == nil:
		return failureUntold
	case IsBusy(err):
		return failureBusy
	case errors.Is(err, errBadExeFormat), errors.Is(err, errMachineTypeMismatch):
		return failureFormat
	case errors.Is(err, errFilenameTooLong):
		return failureTooBig
	case errors.Is(err, fs.ErrNotExist):
		return failureMissing
	case errors.Is(err, fs.ErrPermission):
		return failureDenied
	}
	return failureOther
}

// On this system the mode does not tell whether a file may run.

func executableMode(fs.FileInfo) bool { return true }

func notExecutable(fs.FileInfo, string) string { return "" }

func (suspect) permission(fs.FileInfo) string { return "" }
