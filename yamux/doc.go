// Package yamux carries many streams over one connection, on the wire format
// of hashicorp/yamux (protocol §4 and §5 use it for net/rpc and for
// multiplexed gRPC). Either end of a connection may be that library.
//
// Beyond that library's API a stream can be asked whether the peer has accepted
// it, which the order of a multiplexed broker depends on; it can be reset, so that
// truncated data does not look complete; every wait takes a context; and readers
// are woken once when the session ends.
//
// One side of the connection calls [Client], the other [Server]; after that
// the two are equal: each may [Session.Open] streams and [Session.Accept]
// the peer's. A [Stream] is a [net.Conn] that can also be half closed
// ([Stream.CloseWrite]), aborted ([Stream.Reset]), and asked whether the peer
// has accepted it ([Stream.Acknowledged]).
//
// # How it works
//
// A session has one goroutine, which receives. Whoever writes to a stream
// writes to the connection itself, header and payload in one system call; when
// two write at once, the second leaves its frame in a bounded queue, and a
// goroutine that lives until the queue is empty takes it from there. The
// receiving goroutine never waits for a write: what it has to answer goes into
// the same queue. Idle streams have neither goroutines nor timers, and buffers
// go back to a pool once they are read.
//
// # How a session ends
//
// [Session.Err] says why: [ErrSessionClosed] after Close here, [io.EOF] when
// the peer closed the connection between two frames, [io.ErrUnexpectedEOF]
// inside one, a [*ProtocolError] when the peer broke the protocol, a
// [*GoAwayError] when it says that we did, or the connection's own error.
// Whatever was waiting returns at once with an error that is
// [ErrSessionClosed] to errors.Is and unwraps to the reason. A stream's reader
// first gets what had arrived, and then [io.EOF] if the peer had ended the
// stream, so that a truncated stream never looks complete.
package yamux
