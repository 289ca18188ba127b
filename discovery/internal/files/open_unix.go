//go:build unix

package files

import "syscall"

const openWithoutWaiting = syscall.O_NONBLOCK
