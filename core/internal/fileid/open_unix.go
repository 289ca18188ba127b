//go:build unix

package fileid

import "syscall"

const openWithoutWaiting = syscall.O_NONBLOCK
