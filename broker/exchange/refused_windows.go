package exchange

import "syscall"

// errRefused is WSAECONNREFUSED.
const errRefused syscall.Errno = 10061
