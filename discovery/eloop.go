//go:build !plan9

package discovery

import "syscall"

var eloop error = syscall.ELOOP
