//go:build !unix

package host

import "syscall"

// runsAsAnother is false: what another user may read cannot be told by a mode.
func runsAsAnother(*syscall.SysProcAttr) bool { return false }
