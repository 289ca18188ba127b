//go:build !windows

package core

import "syscall"

// hangUps are the system's errors for a connection that the other side has closed.
var hangUps = []error{syscall.EPIPE, syscall.ECONNRESET}
