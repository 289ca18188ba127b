package exchange

import (
	"context"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

// Session is the connection that both sides of a [Multiplexed] share. It is safe
// for use by many goroutines.
type Session interface {
	// Open starts a stream to the other side.
	Open(ctx context.Context) (SessionStream, error)
	// Accept waits for a stream that the other side opened, and tells it that it
	// was accepted. They come in the order in which they were opened.
	Accept(ctx context.Context) (SessionStream, error)
	// Done is closed when the session has ended.
	Done() <-chan struct{}
	// Err says why the session ended; nil while it has not.
	Err() error
}

// SessionStream is a stream of a [Session].
type SessionStream interface {
	broker.Conn
	// Acknowledged waits until the other side has accepted the stream. Close
	// does not end the wait.
	Acknowledged(ctx context.Context) error
}

// Yamux returns the session as a broker's. The broker does not close it.
func Yamux(session *yamux.Session) Session {
	return yamuxSession{session}
}

type yamuxSession struct {
	*yamux.Session
}

func (s yamuxSession) Open(ctx context.Context) (SessionStream, error) {
	stream, err := s.Session.Open(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}

func (s yamuxSession) Accept(ctx context.Context) (SessionStream, error) {
	stream, err := s.Session.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return stream, nil
}
