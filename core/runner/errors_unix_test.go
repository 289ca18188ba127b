//go:build unix

package runner_test

import "syscall"

// errBadFormat is the system's error for a file of an unknown format.
const errBadFormat = syscall.ENOEXEC
