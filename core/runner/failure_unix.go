//go:build unix

package runner

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// isTextBusy reports whether the file could not be run because somebody has it
// open for writing.
func isTextBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }

// isLinkLoop reports whether a path has too many symbolic links on it.
func isLinkLoop(err error) bool { return errors.Is(err, syscall.ELOOP) }

// isChrooted reports whether the process sees other files than this one.
func isChrooted(attr *syscall.SysProcAttr) bool { return attr != nil && attr.Chroot != "" }

// mayNotBecome reports whether a start failed because this process may not make
// another user of its child.
func mayNotBecome(attr *syscall.SysProcAttr, err error) bool {
	return attr != nil && attr.Credential != nil && errors.Is(err, syscall.EPERM) && os.Geteuid() != 0
}

// failureOf sorts what the system said.
func failureOf(err error) failure {
	switch {
	case err == nil:
		return failureUntold
	case isTextBusy(err):
		return failureBusy
	case isBadFormat(err):
		return failureFormat
	case errors.Is(err, syscall.E2BIG):
		return failureTooBig
	case errors.Is(err, fs.ErrNotExist):
		return failureMissing
	case errors.Is(err, fs.ErrPermission):
		return failureDenied
	}
	return failureOther
}
