//go:build unix

package atomicfile

import "syscall"

const openWithoutWaiting = syscall.O_NONBLOCK
