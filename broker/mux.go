// Package broker makes further connections between a host and a plugin out of the
// connection that they have. Either side allocates an ID ([IDs]) and tells it to
// the other in a call of its own. Then one of them accepts connections to that ID,
// and the other dials it.
//
// The package knows nothing of what the connections carry. [Prefixed] is the
// scheme of protocol §4: a dialer opens a stream of a [Mux] and writes the ID on
// it; the acceptor that claims the ID writes the same bytes back. Package exchange
// has the schemes of protocol §5. All are configured by a [Config].
//
// After a Close, or the end of the connection beneath, errors are [net.ErrClosed]
// to errors.Is.
package broker

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/yamux"
)

// ErrUnclaimed is returned by Dial when the other side hung up instead of
// accepting: nobody there claims the ID.
var ErrUnclaimed = errors.New("nobody accepts this ID at the other side")

// IDs gives out the IDs of one side. The other side counts for itself: the same ID
// may be in use in both directions, and that does no harm. The zero value is ready
// for use, by many goroutines.
type IDs struct{ last atomic.Uint32 }

// Next returns an ID that this side has not used before; the first is 1.
func (i *IDs) Next() uint32 { return i.last.Add(1) }

// Addr is the address of a brokered connection: its ID.
type Addr uint32

// Network returns "broker".
func (Addr) Network() string { return "broker" }

func (a Addr) String() string { return strconv.FormatUint(uint64(a), 10) }

// Mux is the connection that both sides share: it carries many streams. It is safe
// for use by many goroutines.
type Mux interface {
	// Open starts a stream to the other side.
	Open(ctx context.Context) (Conn, error)
	// Accept waits for a stream that the other side opened, and tells it that the
	// stream was accepted. Streams come in the order in which they were opened.
	Accept(ctx context.Context) (Conn, error)
	// Done is closed when the connection has ended.
	Done() <-chan struct{}
	// Err says why the connection ended; nil while it has not.
	Err() error
	// Close ends the connection and its streams.
	Close() error
}

// Conn is a stream of a [Mux], and so a connection of a broker.
type Conn interface {
	net.Conn
	// CloseWrite tells the other side that nothing more will be written; it
	// reads io.EOF. Reading goes on.
	CloseWrite() error
	// Reset ends the connection so that the other side's reads fail instead of
	// reaching io.EOF: what it has read so far is not the whole.
	Reset() error
	// Acknowledged waits until the other side has accepted the stream. Close
	// does not end the wait.
	Acknowledged(ctx context.Context) error
	// PeerDone is closed when the other side will send nothing more.
	PeerDone() <-chan struct{}
	// Done is closed when the connection carries nothing more in either
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
