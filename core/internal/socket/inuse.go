package socket

import (
	"errors"
	"syscall"
)

// errWindowsInUse is what Windows says in place of EADDRINUSE (WSAEADDRINUSE). It is no
// number of another platform's.
const errWindowsInUse = syscall.Errno(10048)

// IsInUse reports whether an address cannot be listened on since it is in use.
func IsInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, errWindowsInUse)
}
