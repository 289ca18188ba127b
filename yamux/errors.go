package yamux

import (
	"errors"
	"fmt"
	"io"
	"net"
)

var (
	// ErrReset is returned by reads and writes of a stream reset or refused by
	// the peer. Earlier data is read first.
	ErrReset = errors.New("yamux: stream reset by the peer")

	// ErrClosed is returned by the operations of a stream after its Close or
	// Reset on this side, and by writes after CloseWrite. It unwraps to
	// net.ErrClosed.
	ErrClosed error = &closedError{"yamux: stream closed"}

	// ErrSessionClosed is returned by every operation after the session's end.
	// After Close on this side, operations return exactly this error. After any
	// other end, the error matches ErrSessionClosed in errors.Is and unwraps to
	// the reason; the peer's plain closing is io.ErrUnexpectedEOF there. Both
	// match net.ErrClosed in errors.Is.
	ErrSessionClosed error = &closedError{"yamux: session closed"}

	// ErrGoAway is returned by Open after the peer has announced that it
	// accepts no new streams. Existing streams continue.
	ErrGoAway = errors.New("yamux: the peer accepts no new streams")

	// ErrStreamsExhausted is returned by Open after all 2^31 stream IDs of this
	// side are used. Start a new session.
	ErrStreamsExhausted = errors.New("yamux: no stream IDs left: start a new session")

	// ErrKeepAliveTimeout ends a session if its peer does not answer a ping
	// within Config.KeepAliveTimeout.
	ErrKeepAliveTimeout = errors.New("yamux: the peer did not answer a keep-alive ping in time")

	// ErrConfig is wrapped by the errors of Client and Server for an invalid
	// Config.
	ErrConfig = errors.New("yamux: invalid configuration")
)

// closedError is a sentinel error that matches net.ErrClosed in errors.Is.
type closedError struct{ text string }

func (e *closedError) Error() string { return e.text }
func (e *closedError) Unwrap() error { return net.ErrClosed }

// ProtocolError ends a session if its peer violates the protocol.
type ProtocolError struct {
	StreamID uint32 // the stream of the frame; 0 is the session itself
	Reason   string // the violated rule
}

// Error names the rule and the stream.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("yamux: protocol error by the peer: %s (stream %d)", e.Reason, e.StreamID)
}

// GoAwayError ends a session if its peer ends it with an error code.
type GoAwayError struct {
	Code uint32 // 1: this side violated the protocol; 2: the peer has an internal error
}

// Error gives the code in words.
func (e *GoAwayError) Error() string {
	switch e.Code {
	case goAwayProtocolError:
		return "yamux: the peer ended the session: protocol error"
	case goAwayInternalError:
		return "yamux: the peer ended the session: internal error"
	default:
		return fmt.Sprintf("yamux: the peer ended the session: code %d", e.Code)
	}
}

// endedError is the error of a session's operations after an end other than
// Close on this side.
type endedError struct{ cause error }

func (e *endedError) Error() string { return "yamux: session ended: " + e.cause.Error() }
func (e *endedError) Unwrap() error { return e.cause }
func (e *endedError) Is(target error) bool {
	return target == ErrSessionClosed || target == net.ErrClosed
}

// operationError converts the reason of a session's end into the error of its
// operations. A bare io.EOF would mean a complete stream to a reader.
func operationError(reason error) error {
	switch {
	case errors.Is(reason, ErrSessionClosed):
		return reason
	case errors.Is(reason, io.EOF):
		return &endedError{io.ErrUnexpectedEOF}
	default:
		return &endedError{reason}
	}
}
