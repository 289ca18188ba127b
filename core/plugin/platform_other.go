//go:build !unix && !windows

package plugin

import "syscall"

const defaultNetwork = "tcp"

var errAddressInUse error = syscall.EADDRINUSE
