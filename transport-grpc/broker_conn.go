package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
)

// Conn is a brokered connection, for the constructors of generated clients. The calls of lent
// services share a connection below it.
type Conn struct {
	broker *Broker
	closed atomic.Bool
	own    *ownConn   // nil if shared
	shared *reference // nil unless the ID is a reference

	mu        sync.Mutex
	unwrapped *ownConn // of a shared Conn, for ClientConn
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// ownConn is a connection for one Conn.
type ownConn struct {
	grpc   *grpc.ClientConn
	dialer *dialer
}

// newOwn returns a connection that dials at its first call.
func newOwn(b *Broker, dial func(context.Context) (net.Conn, error), opts []grpc.DialOption) (*ownConn, error) {
	d := newDialer(dial)
	conn, err := newClient(append(b.brokeredOptions(d, false), opts...))
	if err != nil {
		return nil, err
	}
	return &ownConn{conn, d}, nil
}

// connect makes the connection at once. After an error nothing of it is left.
func (o *ownConn) connect(ctx context.Context) error {
	first, err := o.dialer.again(ctx)
	if err != nil {
		_ = o.close()
		return err
	}
	o.dialer.begin(first)
	o.grpc.Connect()
	return nil
}

func (o *ownConn) close() error {
	if o == nil {
		return nil
	}
	err := o.grpc.Close()
	o.dialer.close()
	return err
}

// openConn dials an ID with a listener of its own.
func openConn(ctx context.Context, b *Broker, id uint32, opts []grpc.DialOption) (*Conn, error) {
	own, err := newOwn(b, func(ctx context.Context) (net.Conn, error) { return b.dialHTTP2(ctx, id) }, opts)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	if err := own.connect(ctx); err != nil {
		return nil, err
	}
	return &Conn{broker: b, own: own}, nil
}

// borrowConn returns a Conn of a reference.
func borrowConn(b *Broker, p *partner, id uint32) (*Conn, error) {
	server, _ := splitReference(id)
	client, err := b.lendingClient(p, referenceOf(server, 0))
	if err != nil {
		return nil, fmt.Errorf("borrow ID %d: %w", id, err)
	}
	return &Conn{broker: b, shared: newReference(client, id)}, nil
}

// unwrap returns gRPC's own connection, or nil. A shared Conn gets one of its own for it.
func (c *Conn) unwrap() *grpc.ClientConn {
	if c.own != nil {
		return c.own.grpc
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unwrapped == nil && !c.closed.Load() {
		made, err := newOwn(c.broker, c.dialOwn, nil)
		if err != nil {
			return nil
		}
		c.unwrapped = made
	}
	if c.unwrapped == nil {
		return nil
	}
	return c.unwrapped.grpc
}

// dialOwn connects a shared Conn to a listener of its lending's own.
func (c *Conn) dialOwn(ctx context.Context) (net.Conn, error) {
	id, err := c.shared.ownID(ctx)
	if err != nil {
		return nil, err
	}
	return c.broker.dialHTTP2(ctx, id)
}

// Invoke makes a call, for generated clients.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if c.own == nil {
		return c.shared.invoke(ctx, method, args, reply, opts)
	}
	return c.own.grpc.Invoke(ctx, method, args, reply, opts...)
}

// NewStream opens a stream, for generated clients.
func (c *Conn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	if c.own == nil {
		return c.shared.stream(ctx, desc, method, opts)
	}
	return c.own.grpc.NewStream(ctx, desc, method, opts...)
}

// Close ends the connection and the calls on it. It may be called again.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.broker.forget(c)
	if c.shared != nil {
		c.shared.close()
	}
	c.mu.Lock()
	unwrapped := c.unwrapped
	c.mu.Unlock()
	_ = unwrapped.close()
	return c.own.close()
}
