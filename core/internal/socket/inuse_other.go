//go:build !windows

package socket

import "syscall"

// errAddressInUse is what the platform says beside EADDRINUSE.
var errAddressInUse error = syscall.EADDRINUSE
