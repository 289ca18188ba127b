//go:build unix && !linux

package host

import "syscall"

// runsAsAnother reports whether a process may be to run as another user.
func runsAsAnother(attr *syscall.SysProcAttr) bool { return attr != nil && attr.Credential != nil }
