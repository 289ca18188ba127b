package exchange

import (
	"net"

	"github.com/jackfield-go/jackfield/broker"
)

// muxListener is a listener for one ID, or the main listener. Its side's lock
// guards its fields.
type muxListener struct {
	side     *acceptSide
	id       uint32
	conns    chan broker.Conn
	done     chan struct{} // closed after closed is set
	closed   error         // the reason of the end; nil before
	expected int           // acknowledged streams still to come
}

func newMuxListener(side *acceptSide, id uint32, backlog int) *muxListener {
	return &muxListener{
		side:  side,
		id:    id,
		conns: make(chan broker.Conn, backlog),
		done:  make(chan struct{}),
	}
}

// Accept waits for the next connection. After the end of the listener, the
// scheme or its Mux, it returns net.ErrClosed.
func (l *muxListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		l.side.taken(l)
		return conn, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: l.closed}
	}
}

// Close ends Accept and resets the connections not yet accepted. Accepted
// connections live on.
func (l *muxListener) Close() error {
	a := l.side
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.main == l:
		a.main = nil
	case a.listeners[l.id] == l:
		delete(a.listeners, l.id)
	}
	l.end(net.ErrClosed)
	return nil
}

// Addr returns the ID.
func (l *muxListener) Addr() net.Addr { return broker.Addr(l.id) }

// hasRoom reports whether one more stream fits, in addition to all acknowledged
// streams.
func (l *muxListener) hasRoom() bool {
	return len(l.conns)+l.expected < cap(l.conns)
}

// put keeps a stream for Accept. It returns false if there is no room.
func (l *muxListener) put(stream broker.Conn) bool {
	select {
	case l.conns <- stream:
		return true
	default:
		return false
	}
}

func (l *muxListener) end(cause error) {
	if l.closed != nil {
		return
	}
	l.closed = cause
	close(l.done)
	for {
		select {
		case stream := <-l.conns:
			_ = stream.Reset()
		default:
			return
		}
	}
}
