package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// Conn is a brokered connection, for the constructors of generated clients.
type Conn struct {
	broker *Broker
	dialer *dialer
	grpc   *grpc.ClientConn
	closed atomic.Bool
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// openConn dials.
func openConn(ctx context.Context, b *Broker, id uint32, opts []grpc.DialOption) (*Conn, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		conn, err := b.dial(ctx, id)
		if err != nil {
			return nil, err
		}
		return b.secureConn(ctx, id, conn, forHTTP2(b.security))
	}
	c := &Conn{broker: b, dialer: newDialer(dial)}
	// An ending broker closes connections before they count as lost.
	lost := func(p *peer.Peer) bool { return b.ctx.Err() != nil || c.dialer.lost(p) }
	explain := explainer{lost: lost, closing: b.closing, reason: b.reason}
	var err error
	c.grpc, err = newClient(append(b.options.clientOptions(b.security, explain, c.dialer.dial), opts...))
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	first, err := dial(ctx)
	if err != nil {
		_ = c.grpc.Close()
		return nil, err
	}
	c.dialer.begin(first)
	c.grpc.Connect()
	return c, nil
}

// Invoke makes a call, for generated clients.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.grpc.Invoke(ctx, method, args, reply, opts...)
}

// NewStream opens a stream, for generated clients.
func (c *Conn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return c.grpc.NewStream(ctx, desc, method, opts...)
}

// Close ends the connection and the calls on it. It may be called again.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.broker.forget(c)
	err := c.grpc.Close()
	c.dialer.close()
	return err
}
