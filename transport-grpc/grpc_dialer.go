package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
)

// connection is a network connection that is known to be lost when it is.
type connection struct {
	net.Conn

	once    sync.Once
	lost    chan struct{}         // closed with the connection
	failure atomic.Pointer[error] // of the first read or write that failed
}

func newConnection(conn net.Conn) *connection {
	return &connection{Conn: conn, lost: make(chan struct{})}
}

// Read and Write keep their error: gRPC makes a text of it.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
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

// Close is called by gRPC too, before it fails the calls that are in flight.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.lost) })
	return c.Conn.Close()
}

func (c *connection) isLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

// dialer is how gRPC gets its connections. The first one is made outside of it,
// so that its failure is an error of its own; those after a lost one by again.
type dialer struct {
	again func(context.Context) (net.Conn, error)

	mu     sync.Mutex
	first  *handover
	latest *connection // the one that gRPC uses; nil before the first
}

// handover is where gRPC waits for the first connection.
type handover struct {
	conn   chan *connection // gets it, and is closed behind it
	missed bool             // gRPC has given up waiting
}

func newHandover() *handover { return &handover{conn: make(chan *connection, 1)} }

func newDialer(again func(context.Context) (net.Conn, error)) *dialer {
	return &dialer{again: again, first: newHandover()}
}

// open returns a gRPC connection over what dial makes. gRPC gets ready for it
// meanwhile, which takes it longer than a dial. An error is one of the options, or
// dial's.
func (d *dialer) open(
	ctx context.Context, opts []grpc.DialOption, dial func(context.Context) (*connection, error),
) (*grpc.ClientConn, error) {
	conn, err := newClient(opts)
	if err != nil {
		return nil, err
	}
	conn.Connect()
	first, err := dial(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if d.supply(first) {
		return conn, nil
	}
	_ = conn.Close()
	d.renew() // not before: what that one may still ask for has a context that is over now
	if conn, err = newClient(opts); err != nil {
		_ = first.Close()
		return nil, err
	}
	d.supply(first) // gRPC has not waited for it yet
	return conn, nil
}

func newClient(opts []grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		return nil, fmt.Errorf("the options of the connection: %w", err)
	}
	return conn, nil
}

// supply hands over the first connection. It returns false, and does not take it,
// if that comes so late that gRPC would make calls wait until it tries again, or
// fail.
func (d *dialer) supply(first *connection) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first.missed {
		return false
	}
	d.latest = first
	d.first.conn <- first
	close(d.first.conn)
	return true
}

// renew makes the place where another of gRPC's clients waits for the first
// connection.
func (d *dialer) renew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first = newHandover()
}

// dial is what gRPC calls.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	d.mu.Lock()
	first := d.first
	d.mu.Unlock()
	if ctx.Err() != nil { // it may be gRPC's that has missed its connection
		return nil, context.Cause(ctx)
	}
	select {
	case conn := <-first.conn:
		if conn != nil {
			return conn, nil
		}
	case <-ctx.Done():
		d.mu.Lock()
		defer d.mu.Unlock()
		first.missed = true
		return nil, context.Cause(ctx)
	}
	raw, err := d.again(ctx)
	if err != nil {
		return nil, err
	}
	conn := newConnection(raw)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latest = conn
	return conn, nil
}

// close closes the first connection if gRPC has not asked for it. It must not be
// called while open runs.
func (d *dialer) close() {
	d.mu.Lock()
	first := d.first
	d.mu.Unlock()
	select {
	case unused := <-first.conn:
		if unused != nil {
			_ = unused.Close()
		}
	default: // there has never been one
	}
}

// isLost reports whether the connection that gRPC uses is lost.
func (d *dialer) isLost() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.latest != nil && d.latest.isLost()
}
