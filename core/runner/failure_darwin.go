package runner

import (
	"errors"
	"syscall"
)

// isBadFormat reports whether the file is nothing that this system runs. A
// wrong architecture has a number of its own here.
func isBadFormat(err error) bool {
	return errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EBADARCH) || errors.Is(err, syscall.EBADMACHO)
}
