package plugin

import "syscall"

// dup2 is dup3, which every architecture has.
func dup2(from, to int) error { return syscall.Dup3(from, to, 0) }
