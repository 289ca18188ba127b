package socket

import "syscall"

// errAddressInUse is what the platform says beside EADDRINUSE: WSAEADDRINUSE.
var errAddressInUse error = syscall.Errno(10048)
