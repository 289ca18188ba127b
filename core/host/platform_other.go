//go:build !unix

package host

import (
	"strings"
	"syscall"
)

// usesUnixSockets is false where plugins listen on TCP (protocol §1).
const usesUnixSockets = false

// sameVariable compares names without regard to case, as Windows does.
func sameVariable(a, b string) bool { return strings.EqualFold(a, b) }

// startsAs is for platforms where processes get a user by number.
func startsAs(*syscall.SysProcAttr) (uid int, ok bool) { return 0, false }

// runsAsAnother is false: a mode does not tell which files another user may read.
func runsAsAnother(*syscall.SysProcAttr) bool { return false }
