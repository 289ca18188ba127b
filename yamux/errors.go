package yamux

import (
	"errors"
	"fmt"
	"io"
	"net"
)

var (
	// ErrReset is returned by reads and writes of a stream that the peer has
	// reset or refused. Data that arrived before the reset is read first.
	ErrReset = errors.New("yamux: stream reset by the peer")

	// ErrClosed is returned by the operations of a stream after its Close or
	// Reset here, and by writes after CloseWrite. It unwraps to net.ErrClosed.
	ErrClosed error = &closedError{"yamux: stream closed"}

	// ErrSessionClosed is what every operation returns once the session is
	// over. After Close here the error is this very value; when the session
	// ended otherwise, the error is ErrSessionClosed to errors.Is and unwraps to
	// the reason, in which a connection that merely ended is
	// io.ErrUnexpectedEOF. Both are net.ErrClosed to errors.Is.
	ErrSessionClosed error = &closedError{"yamux: session closed"}

	// ErrGoAway is returned by Open when the peer has said that it takes no
	// new streams. Those that exist go on.
	ErrGoAway = errors.New("yamux: the peer takes no new streams")

	// ErrStreamsExhausted is returned by Open when all 2^31 identifiers of
	// this side are used up; only a new session helps.
	ErrStreamsExhausted = errors.New("yamux: no stream identifiers left")

	// ErrKeepAliveTimeout ends a session whose peer did not answer a ping
	// within Config.KeepAliveTimeout.
	ErrKeepAliveTimeout = errors.New("yamux: the peer did not answer a keep-alive ping in time")

	// ErrConfig is wrapped by the errors of Client and Server for a Config
	// that is out of bounds.
	ErrConfig = errors.New("yamux: invalid configuration")
)

// closedError is a sentinel that is net.ErrClosed to errors.Is as well.
type closedError struct{ text string }

func (e *closedError) Error() string { return e.text }
func (e *closedError) Unwrap() error { return net.ErrClosed }

// ProtocolError ends a session whose peer broke the protocol.
type ProtocolError struct {
	StreamID uint32 // the stream the frame was for; 0 is the session itself
	Reason   string // which rule was broken
}

// Error names the rule and the stream.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("yamux: protocol error by the peer: %s (stream %d)", e.Reason, e.StreamID)
}

// GoAwayError ends a session whose peer gave up on it with an error code.
type GoAwayError struct {
	Code uint32 // 1: we broke the protocol; 2: the peer has an internal error
}

// Error spells the code out.
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

// endedError is what the operations of a session return that ended by
// something else than Close here.
type endedError struct{ cause error }

func (e *endedError) Error() string { return "yamux: session ended: " + e.cause.Error() }
func (e *endedError) Unwrap() error { return e.cause }
func (e *endedError) Is(target error) bool {
	return target == ErrSessionClosed || target == net.ErrClosed
}

// operationError turns a session's end into the error of its operations. A
// bare io.EOF would tell a reader that the stream is complete.
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
