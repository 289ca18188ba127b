//go:build !unix

package yamux

import "net"

// resumable is false on systems where an interrupted write does not report its
// size, like Windows. Writers then leave their frames to the flusher.
func resumable(net.Conn) bool { return false }
