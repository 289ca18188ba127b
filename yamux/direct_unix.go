//go:build unix

package yamux

import "net"

// resumable reports whether a write on conn that a deadline interrupts says
// exactly how much went out, and can be continued. That is so for sockets; a
// TLS connection is corrupt afterwards, and of others nothing is known.
func resumable(conn net.Conn) bool {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}
