//go:build !unix

package runner

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

// isTextBusy reports whether the file could not be run because somebody has it
// open for writing.
func isTextBusy(err error) bool { return errors.Is(err, errSharingViolation) }

// isLinkLoop reports whether a path has too many symbolic links on it, which
// has no telling answer here.
func isLinkLoop(error) bool { return false }

// isChrooted reports whether the process sees other files than this one.
func isChrooted(*syscall.SysProcAttr) bool { return false }

// mayNotBecome reports whether a start failed because this process may not make
// another user of its child.
func mayNotBecome(*syscall.SysProcAttr, error) bool { return false }

// failureOf sorts what the system said.
func failureOf(err error) failure {
	switch {
	case err == nil:
		return failureUntold
	case isTextBusy(err):
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
