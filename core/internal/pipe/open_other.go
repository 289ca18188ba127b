//go:build !windows

package pipe

import "os"

// Open makes a pipe, the reading end first. A Read of it can be interrupted.
func Open() (r, w *os.File, err error) { return os.Pipe() }
