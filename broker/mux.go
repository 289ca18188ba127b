package broker

import (
	"context"
	"net"

	"github.com/jackfield-go/jackfield/yamux"
)

// Mux is the shared connection of both sides, with many streams. It is safe for concurrent use.
type Mux interface {
	// Open starts a stream to the other side.
	Open(ctx context.Context) (Conn, error)
	// Accept waits for a stream of the other side and acknowledges it. Streams
	// arrive in the order of their opening.
	Accept(ctx context.Context) (Conn, error)
	// Done is closed when the connection has ended.
	Done() <-chan struct{}
	// Err returns the reason of the connection's end, or nil before it.
	Err() error
	// Close ends the connection and its streams.
	Close() error
}

// Conn is a stream of a [Mux], used as a connection of a broker.
type Conn interface {
	net.Conn
	// CloseWrite ends this side's writing; the other side reads io.EOF. Reading
	// continues.
	CloseWrite() error
	// Reset ends the connection. The other side's reads then fail instead of
	// returning io.EOF: its data is incomplete.
	Reset() error
	// Acknowledged waits until the other side has accepted the stream. Close
	// does not end the wait.
	Acknowledged(ctx context.Context) error
	// PeerDone is closed when the other side will send no more data.
	PeerDone() <-chan struct{}
	// Done is closed when the connection carries no more data in either
	// direction.
	Done() <-chan struct{}
}

// Yamux returns session as a [Mux].
func Yamux(session *yamux.Session) Mux {
	return yamuxMux{session}
}

type yamuxMux struct {
	*yamux.Session
}

func (s yamuxMux) Open(ctx context.Context) (Conn, error) {
	stream, err := s.Session.Open(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (s yamuxMux) Accept(ctx context.Context) (Conn, error) {
	stream, err := s.Session.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}
