package transportgrpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/peer"

	"github.com/jackfield-go/jackfield/core"
)

// dialer gives gRPC its connections: the first, and then those of again. The first is
// made before gRPC asks: so the caller gets the error of a failed connection, and not
// the first call.
type dialer struct {
	again  func(context.Context) (net.Conn, error)
	misses atomic.Int32 // dials since the other side last sent data
	limit  int32        // of misses; 0: none
	gaveUp chan struct{}

	mu      sync.Mutex
	first   *connection // nil once gRPC has it
	newest  *connection
	live    map[*connection]struct{} // not lost
	changed chan struct{}
}

func newDialer(again func(context.Context) (net.Conn, error)) *dialer {
	return &dialer{again: again, gaveUp: make(chan struct{}), changed: make(chan struct{}), live: make(map[*connection]struct{})}
}

// begin sets the first connection.
func (d *dialer) begin(raw net.Conn) *connection {
	first := d.add(raw)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first = first
	return first
}

// dial is called by gRPC.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	if first := d.take(); first != nil {
		return first, nil
	}
	if live, _ := d.state(); live > 0 { // it carries its last calls to the end
		return d.dialAgain(ctx)
	}
	switch misses := d.misses.Add(1); {
	case d.limit == 0 || misses <= d.limit:
	case misses == d.limit+1:
		close(d.gaveUp)
		fallthrough
	default:
		d.misses.Store(d.limit + 1) // lest it overflows
		return nil, fmt.Errorf("%w, and %d attempts to connect again have failed", core.ErrConnectionLost, d.limit)
	}
	return d.dialAgain(ctx)
}

func (d *dialer) dialAgain(ctx context.Context) (net.Conn, error) {
	raw, err := d.again(ctx)
	if err != nil {
		return nil, err
	}
	return d.add(raw), nil
}

// add notes a connection until it is lost.
func (d *dialer) add(raw net.Conn) *connection {
	c := newConnection(raw)
	c.dialer = d
	d.change(func() {
		d.newest = c
		d.live[c] = struct{}{}
	})
	return c
}

func (d *dialer) change(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// state returns the number of live connections, and a channel closed at the next
// change.
func (d *dialer) state() (live int, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live), d.changed
}

// take returns the first connection, once.
func (d *dialer) take() *connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.first
	d.first = nil
	return first
}

// close closes the connections, whether or not gRPC has asked for them.
func (d *dialer) close() {
	d.mu.Lock()
	live := slices.Collect(maps.Keys(d.live))
	d.mu.Unlock()
	for _, c := range live {
		_ = c.Close()
	}
}

// lost reports whether the connection of a call is lost. p is the call's peer. A
// call that got no connection has none: then all connections must be lost.
func (d *dialer) lost(p *peer.Peer) bool {
	if p != nil {
		if addr, ok := p.Addr.(dialledAddr); ok {
			return addr.conn.isLost()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.live {
		if !c.isLost() {
			return false
		}
	}
	return true
}

// connection is a network connection with a record of its loss.
type connection struct {
	net.Conn

	dialer   *dialer // nil in a server
	settings settings
	once     sync.Once
	lost     chan struct{}         // closed with the connection
	failure  atomic.Pointer[error] // of the first failed read or write
}

func newConnection(conn net.Conn) *connection {
	return &connection{Conn: conn, lost: make(chan struct{})}
}

// Read and Write keep their error: gRPC makes a text of it.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.dialer != nil && !c.settings.known.Load() {
		c.dialer.misses.Store(0)
		c.settings.take(p[:n])
	}
	if err != nil {
		c.failure.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (c *connection) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failure.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close is called by gRPC too, before it fails the calls in flight.
func (c *connection) Close() error {
	c.once.Do(func() {
		close(c.lost)
		if c.dialer != nil {
			c.dialer.change(func() { delete(c.dialer.live, c) })
		}
	})
	return c.Conn.Close()
}

// isLost reports whether the connection is closed or broken. gRPC dials again before it closes a
// broken one.
func (c *connection) isLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return c.failure.Load() != nil
	}
}

// tlsState is the result of core's handshake.
func (c *connection) tlsState() (tls.ConnectionState, bool) { return tlsStateOf(c.Conn) }

// RemoteAddr identifies the connection of a call: gRPC's peer.Peer carries it.
func (c *connection) RemoteAddr() net.Addr {
	if c.dialer == nil {
		return c.Conn.RemoteAddr()
	}
	return dialledAddr{c.Conn.RemoteAddr(), c}
}

// maxStreams returns the newest connection's limit of streams at a time, if known.
func (d *dialer) maxStreams() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.newest == nil {
		return math.MaxUint32
	}
	return d.newest.settings.maxStreams()
}

// dialledAddr is the address of a dialled connection.
type dialledAddr struct {
	net.Addr

	conn *connection
}
