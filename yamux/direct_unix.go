//go:build unix

package yamux

import "net"

// resumable reports whether a write on conn, interrupted by a deadline, returns
// its exact size and can be continued. Sockets can; a TLS connection is corrupt
// afterwards; other types are unknown.
func resumable(conn net.Conn) bool {
	switch conn.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}
