package broker

import (
	"context"
	"net"

	"github.com/jackfield-go/jackfield/yamux"
)

// Conn is one connection of a broker: a stream inside the connection that the
// host and the plugin share.
type Conn interface {
	net.Conn
	// CloseWrite tells the other side that nothing more will be written; it
	// reads io.EOF. Reading goes on.
	CloseWrite() error
	// Reset ends the connection so that the other side's reads fail instead of
	// reaching io.EOF: what it has read so far is not the whole.
	Reset() error
	// PeerDone is closed when the other side will send nothing more.
	PeerDone() <-chan struct{}
	// Done is closed when the connection carries nothing more in either
	// direction.
	Done() <-chan struct{}
}

// Session is the shared connection: what multiplexes the streams. It is safe
// for use by many goroutines.
type Session interface {
	// Open starts a stream to the other side.
	Open(ctx context.Context) (Conn, error)
	// Accept waits for a stream that the other side opened.
	Accept(ctx context.Context) (Conn, error)
	// Done is closed when the session has ended.
	Done() <-chan struct{}
	// Err says why the session ended; nil while it has not.
	Err() error
	// Close ends the session and its streams.
	Close() error
}

// Yamux returns the session as a broker's.
func Yamux(session *yamux.Session) Session {
	return yamuxSession{session}
}

type yamuxSession struct {
	*yamux.Session
}

func (s yamuxSession) Open(ctx context.Context) (Conn, error) {
	stream, err := s.Session.Open(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (s yamuxSession) Accept(ctx context.Context) (Conn, error) {
	stream, err := s.Session.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}
