package transportgrpc

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
)

// Conn is a brokered connection, for the clients that are made of it.
type Conn struct {
	broker *Broker
	id     uint32
	grpc   *grpc.ClientConn

	mu     sync.Mutex
	latest *connection // the one that gRPC uses
	unused bool        // gRPC has not asked for it yet
	closed bool
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// newConn makes a connection of raw, which it owns from then on. gRPC is spoken
// from the first call on.
func newConn(b *Broker, id uint32, raw net.Conn, opts []grpc.DialOption) (*Conn, error) {
	c := &Conn{broker: b, id: id, latest: newConnection(raw), unused: true}
	explain := explainer{lost: c.isLost, reason: b.reason}
	var err error
	c.grpc, err = grpc.NewClient(target, append(b.options.clientOptions(b.security, explain, c.dial), opts...)...)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// Invoke makes a call; it is what generated clients use.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.grpc.Invoke(ctx, method, args, reply, opts...)
}

// NewStream opens a stream; it is what generated clients use.
func (c *Conn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return c.grpc.NewStream(ctx, desc, method, opts...)
}

// Close ends the connection and the calls on it. It may be called again.
func (c *Conn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.broker.forget(c)
	err := c.grpc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unused {
		_ = c.latest.Close()
	}
	return err
}

// dial is how gRPC gets its connection: at first the one that was made already.
func (c *Conn) dial(ctx context.Context) (net.Conn, error) {
	if conn := c.take(); conn != nil {
		return conn, nil
	}
	raw, err := c.broker.dial(ctx, c.id)
	if err != nil {
		return nil, err
	}
	conn := newConnection(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = conn
	return conn, nil
}

func (c *Conn) take() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.unused || c.closed {
		return nil
	}
	c.unused = false
	return c.latest
}

func (c *Conn) isLost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest.isLost()
}
