//go:build unix

package plugin

import "syscall"

const defaultNetwork = "unix"

// errAddressInUse is what the platform says beside EADDRINUSE.
var errAddressInUse error = syscall.EADDRINUSE
