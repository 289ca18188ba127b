//go:build unix && !darwin

package runner

import (
	"errors"
	"syscall"
)

// isBadFormat reports whether the file is nothing that this system runs.
func isBadFormat(err error) bool { return errors.Is(err, syscall.ENOEXEC) }
