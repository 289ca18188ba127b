//go:build !unix

package yamux

import "net"

// resumable is false where an interrupted write does not say how much of it
// went out, as on Windows: writers then leave their frames to the flusher.
func resumable(net.Conn) bool { return false }
