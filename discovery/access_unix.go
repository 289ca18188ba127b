//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package discovery

import "syscall"

const accessExecute = 1

// mayExecute asks whether this user may execute a file, of which the mode says
// that some may.
func mayExecute(path string) error { return syscall.Access(path, accessExecute) }
