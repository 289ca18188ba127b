//go:build unix || windows

package files

import "syscall"

var (
	// ErrLoop is in the error for a symbolic link that leads back to itself.
	ErrLoop error = syscall.ELOOP
	// ErrBusy is in the error for a program that cannot be run while somebody has it
	// open for writing.
	ErrBusy error = syscall.ETXTBSY
)
