//go:build unix && !linux

package host

import (
	"syscall"
)

const usesUnixSockets = true

// sameVariable compares the names of environment variables.
func sameVariable(a, b string) bool { return a == b }

// startsAs returns the user of a process with these attributes; false if that is this process's
// own.
func startsAs(attr *syscall.SysProcAttr) (uid int, ok bool) {
	if attr == nil || attr.Credential == nil {
		return 0, false
	}
	return int(attr.Credential.Uid), true
}

// runsAsAnother reports whether a process may run as another user.
func runsAsAnother(attr *syscall.SysProcAttr) bool { return attr != nil && attr.Credential != nil }
