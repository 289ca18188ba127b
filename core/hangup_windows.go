package core

import "syscall"

// hangUps are the system's errors for a connection that the other side has closed.
var hangUps = []error{syscall.WSAECONNRESET, syscall.WSAECONNABORTED}
