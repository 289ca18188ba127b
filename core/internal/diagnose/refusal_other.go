//go:build !unix

package diagnose

import (
	"errors"
	"io/fs"
	"syscall"
)

// What Windows answers, beside what package syscall has names for.
const (
	errSharingViolation    = syscall.Errno(32)  // open in a way that excludes running it
	errBadExeFormat        = syscall.Errno(193) // not a program
	errFilenameTooLong     = syscall.Errno(206) // also for the command line
	errMachineTypeMismatch = syscall.Errno(216) // a program for another machine
)

// IsBusy reports whether a file could not be run because it is open for writing
// somewhere.
func IsBusy(err error) bool { return errors.Is(err, errSharingViolation) }

// isLinkLoop reports whether a path has too many symbolic links on it, which
// has no telling answer here.
func isLinkLoop(error) bool { return false }

// failureOf sorts what the system said.
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

// Whether a file may be run is no property of its mode here.

func executableMode(fs.FileInfo) bool { return true }

func notExecutable(fs.FileInfo, string) string { return "" }

func (suspect) permission(fs.FileInfo) string { return "" }
