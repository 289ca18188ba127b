package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
)

// lendingClient is the connection to a server of the other side's lendings. The first call
// makes it.
type lendingClient struct {
	broker  *Broker
	partner *partner
	id      uint32 // of the server
	users   int    // borrowed references; guarded by the broker
	token   chan struct{}
	grpc    atomic.Pointer[grpc.ClientConn] // nil until the first call
	dialer  *dialer                         // with grpc
}

// lendingClient returns the client of the server with id, for another user.
func (b *Broker) lendingClient(p *partner, id uint32) (*lendingClient, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, core.ErrClosed
	}
	number, _ := splitReference(id)
	c := p.clients[number]
	if c == nil {
		c = &lendingClient{broker: b, partner: p, id: id, token: make(chan struct{}, 1)}
		p.clients[number] = c
	}
	c.users++
	return c, nil
}

// release ends a use.
func (c *lendingClient) release() {
	c.broker.mu.Lock()
	c.users--
	unused := c.users == 0 && c.partner.retired
	c.broker.mu.Unlock()
	if unused {
		_ = c.Close()
	}
}

// connect returns the connection, and makes the first one itself: so the call gets the error.
func (c *lendingClient) connect(ctx context.Context) (*grpc.ClientConn, error) {
	if conn := c.grpc.Load(); conn != nil {
		return conn, nil
	}
	select {
	case c.token <- struct{}{}:
		defer func() { <-c.token }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if conn := c.grpc.Load(); conn != nil {
		return conn, nil
	}
	first, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.dialer = newDialer(c.dial)
	conn, err := newClient(c.broker.brokeredOptions(c.dialer, true))
	if err != nil {
		_ = first.Close()
		return nil, err
	}
	c.dialer.begin(first)
	if !c.keep(conn) {
		_ = conn.Close()
		c.dialer.close()
		return nil, core.ErrClosed
	}
	return conn, nil
}

// keep notes a connection, to be closed with the broker or its partner.
func (c *lendingClient) keep(conn *grpc.ClientConn) bool {
	b := c.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil || c.partner.retired && c.users == 0 {
		return false
	}
	c.grpc.Store(conn)
	b.borrowing[c] = struct{}{}
	return true
}

// Close ends the connection.
func (c *lendingClient) Close() error {
	c.broker.mu.Lock()
	delete(c.broker.borrowing, c)
	c.broker.mu.Unlock()
	if conn := c.grpc.Load(); conn != nil {
		_ = conn.Close()
		c.dialer.close()
	}
	return nil
}

// dial connects to the other side's server, under TLS if host and plugin are.
func (c *lendingClient) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := c.broker.within(ctx)
	defer cancel()
	dial := c.partner.scheme.Dial
	if plain, ok := c.partner.scheme.(*exchange.Plain); ok {
		dial = plain.DialOnDemand
	}
	conn, err := dial(ctx, c.id)
	if err != nil {
		if reason := c.broker.ended(); reason != nil {
			err = fmt.Errorf("dial brokered connection %d: %w", c.id, reason)
		}
		return nil, closed(err)
	}
	return c.broker.secureConn(ctx, c.id, conn, forHTTP2(c.broker.security))
}

// reference is a borrowed ID on a shared connection.
type reference struct {
	client *lendingClient
	key    metadata.MD
	ctx    context.Context // ends with the Conn
	cancel context.CancelFunc
	once   sync.Once
}

func newReference(c *lendingClient, id uint32) *reference {
	r := &reference{client: c, key: metadata.Pairs(referenceKey, strconv.FormatUint(uint64(id), 10))}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// errConnClosed ends the calls of a closed Conn.
var errConnClosed = fmt.Errorf("the borrowed connection is %w", core.ErrClosed)

func (r *reference) close() {
	r.once.Do(func() {
		r.cancel()
		r.client.release()
	})
}

// call returns the connection and the context for a call: with the reference, and ended with
// the Conn.
func (r *reference) call(ctx context.Context) (*grpc.ClientConn, context.Context, context.CancelFunc, error) {
	within, cancel := context.WithCancel(r.with(ctx))
	stop := context.AfterFunc(r.ctx, cancel)
	if r.ctx.Err() != nil {
		cancel() // not a moment later
	}
	end := func() {
		stop()
		cancel()
	}
	conn, err := r.client.connect(within)
	if err != nil {
		end()
		return nil, nil, nil, r.explain(ctx, err)
	}
	return conn, within, end, nil
}

// explain returns the error of a call without a connection, or after the end of its Conn.
func (r *reference) explain(ctx context.Context, err error) error {
	b := r.client.broker
	ended := b.ctx.Err() != nil || b.ended() != nil
	canceled := status.New(codes.Canceled, err.Error())
	switch {
	case ctx.Err() != nil:
		return endOf(ctx, status.FromContextError(ctx.Err()), err)
	case ended && b.reason != nil:
		return lostCall(canceled, b.reason(ctx, fmt.Errorf("%w: %s", core.ErrConnectionLost, err.Error())))
	case ended:
		return &CallError{status: canceled, reason: core.ErrClosed}
	case r.ctx.Err() != nil:
		return &CallError{status: canceled, reason: errConnClosed}
	default:
		return &CallError{status: status.New(codes.Unavailable, err.Error()), reason: err}
	}
}

// failed is the error of a call. gRPC takes the end of the Conn for that of the call's context.
func (r *reference) failed(ctx context.Context, err error) error {
	if err == nil || r.ctx.Err() == nil || ctx.Err() != nil || status.Code(err) != codes.Canceled {
		return err
	}
	return r.explain(ctx, errConnClosed)
}

// with puts the reference in the place of one that the caller may have passed on.
func (r *reference) with(ctx context.Context) context.Context {
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		return metadata.NewOutgoingContext(ctx, r.key)
	}
	md.Set(referenceKey, r.key.Get(referenceKey)...)
	return metadata.NewOutgoingContext(ctx, md)
}

func (r *reference) invoke(ctx context.Context, method string, args, reply any, opts []grpc.CallOption) error {
	conn, within, end, err := r.call(ctx)
	if err != nil {
		return err
	}
	defer end()
	return r.failed(ctx, conn.Invoke(within, method, args, reply, opts...))
}

func (r *reference) stream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts []grpc.CallOption,
) (grpc.ClientStream, error) {
	conn, within, end, err := r.call(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := conn.NewStream(context.WithValue(within, callersKey{}, ctx), desc, method, opts...)
	if err != nil {
		end()
		return nil, r.failed(ctx, err)
	}
	context.AfterFunc(stream.Context(), end) // the stream's own context ends with the stream
	return &referenceStream{ClientStream: stream, reference: r, ctx: ctx}, nil
}

// callersKey is the key of the caller's context in the context of a stream over a reference.
type callersKey struct{}

// callersContext returns the context of a stream's caller. The end of a stream over a reference
// ends the stream's context, before its error has been explained.
func callersContext(ctx context.Context) context.Context {
	if callers, ok := ctx.Value(callersKey{}).(context.Context); ok {
		return callers
	}
	return ctx
}

// referenceStream is a stream that ends with its Conn.
type referenceStream struct {
	grpc.ClientStream

	reference *reference
	ctx       context.Context // the caller's
}

func (s *referenceStream) RecvMsg(m any) error {
	return s.reference.failed(s.ctx, s.ClientStream.RecvMsg(m))
}

func (s *referenceStream) SendMsg(m any) error {
	return s.reference.failed(s.ctx, s.ClientStream.SendMsg(m))
}

// ownID asks the other side for an ID of the lending's own, to dial: for a protocol or options
// of the caller's own.
func (r *reference) ownID(ctx context.Context) (uint32, error) {
	id := new(wrapperspb.UInt32Value)
	if err := r.invoke(ctx, lendingOwnID, &emptypb.Empty{}, id, nil); err != nil {
		return 0, err
	}
	return id.GetValue(), nil
}

// brokeredOptions are the options of a brokered connection.
func (b *Broker) brokeredOptions(d *dialer, references bool) []grpc.DialOption {
	// An ending broker closes connections before they count as lost.
	lost := func(p *peer.Peer) bool { return b.ctx.Err() != nil || d.lost(p) }
	explain := explainer{lost: lost, closing: b.closing, reason: b.reason, references: references}
	return b.options.clientOptions(b.security, explain, d.dial)
}
