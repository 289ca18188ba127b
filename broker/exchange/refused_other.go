//go:build !windows

package exchange

import "syscall"

const errRefused = syscall.ECONNREFUSED
