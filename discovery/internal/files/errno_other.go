//go:build !unix && !windows

package files

import "errors"

// These systems have neither symbolic links nor busy programs.
var (
	ErrLoop = errors.New("too many levels of symbolic links")
	ErrBusy = errors.New("text file busy")
)
