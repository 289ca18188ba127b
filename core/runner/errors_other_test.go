//go:build !unix

package runner_test

import "syscall"

// errBadFormat is the system's word for a file that it does not run.
const errBadFormat = syscall.Errno(193)
