// Package broker makes further connections between a host and a plugin from
// their existing connection. Either side allocates an ID ([IDs]) and sends it
// to the other in a call of its own. Then one side accepts connections to the
// ID, and the other dials it.
//
// The package is independent of the data on its connections. [Prefixed] is the
// scheme of protocol §4: a dialer opens a stream of a [Mux] and writes the ID
// on it; the acceptor of this ID writes the same bytes back. Package exchange
// has the schemes of protocol §5. All are configured by a [Config].
//
// After a Close, or the end of the underlying connection, errors match
// [net.ErrClosed] in errors.Is.
package broker

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/yamux"
)

// ErrUnclaimed is returned by Dial if the other side hung up without accepting:
// nobody there claims the ID.
var ErrUnclaimed = errors.New("nobody accepts this ID at the other side")

// IDs allocates the IDs of one side. The other side counts separately: the same ID may be in use in
// both directions without harm. The zero value is ready for use. It is safe for concurrent use.
type IDs struct{ last atomic.Uint32 }

// Next returns a new ID for this side; the first is 1.
func (i *IDs) Next() uint32 { return i.last.Add(1) }

// Addr is the address of a brokered connection: its ID.
type Addr uint32

// Network returns "broker".
func (Addr) Network() string { return "broker" }

func (a Addr) String() string { return strconv.FormatUint(uint64(a), 10) }

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
