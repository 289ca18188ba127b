//go:build unix && !linux

package runner

import "syscall"

// endWithParent does nothing: these systems have no such signal, or a program has no access to
// it.
func endWithParent(*syscall.SysProcAttr) {}

// needsThread is false: the parent of a process is a process.
func (Command) needsThread() bool { return false }

// awaitEnd is false: without waitid(2) a child is collected by waiting for it.
func awaitEnd(int) bool { return false }
