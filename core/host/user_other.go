//go:build !unix

package host

import "syscall"

// startsAs is for platforms where processes get a user by number.
func startsAs(*syscall.SysProcAttr) (uid int, ok bool) { return 0, false }
