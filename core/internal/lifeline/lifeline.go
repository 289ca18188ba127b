// Package lifeline tells a plugin about the end of its host (protocol §10).
//
// On Unix the host holds a named pipe open in the directory for sockets, and the plugin reads it.
// The pipe ends with its last holder, in whatever way that ends. It reaches a plugin behind sudo,
// behind another program or in a container, as the sockets do, and neither side's children inherit
// it. On Windows the plugin waits for the host's process.
package lifeline

import "errors"

// ErrClosed is the error of a wait ended by Close.
var ErrClosed = errors.New("the wait for the end of the host was given up")
