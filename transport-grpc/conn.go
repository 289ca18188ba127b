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
	first  chan *connection // what gRPC uses at first; closed behind it

	mu     sync.Mutex
	latest *connection // the one that gRPC uses; nil before the first
	missed bool        // gRPC has given up waiting for the first
	closed bool
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// newConn returns a connection that waits for what it is made of; see supply.
func newConn(b *Broker, id uint32, opts []grpc.DialOption) (*Conn, error) {
	c := &Conn{broker: b, id: id, first: make(chan *connection, 1)}
	explain := explainer{lost: c.isLost, reason: b.reason}
	var err error
	c.grpc, err = grpc.NewClient(target, append(b.options.clientOptions(b.security, explain, c.dial), opts...)...)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// supply hands over the network connection that c is made of. It returns false,
// and does not take it, if that comes so late that gRPC would make calls wait
// until it tries again, or fail.
func (c *Conn) supply(raw net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.missed {
		return false
	}
	c.latest = newConnection(raw)
	c.first <- c.latest
	close(c.first)
	return true
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
	select {
	case unused := <-c.first:
		if unused != nil {
			_ = unused.Close()
		}
	default: // there has never been one
	}
	return err
}

// dial is how gRPC gets its connection: at first the one that is supplied.
func (c *Conn) dial(ctx context.Context) (net.Conn, error) {
	select {
	case conn := <-c.first:
		if conn != nil {
			return conn, nil
		}
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.missed = true
		return nil, context.Cause(ctx)
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

func (c *Conn) isLost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest != nil && c.latest.isLost()
}
