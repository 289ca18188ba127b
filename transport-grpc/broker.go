package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
)

// ErrNoBroker is the error of brokered connections to a plugin without a broker, as
// many in other languages.
var ErrNoBroker = core.WithHint(errors.New("the plugin has no broker: it can neither lend nor borrow anything"),
	"the plugin does not serve plugin.GRPCBroker: lend nothing to it")

// Broker makes further connections between host and plugin, in either direction. One
// side serves an ID and sends it in a message; the other side dials the ID. [Lend] and
// [Borrow] do so for generated code, LendReader and LendWriter for streams. A Broker is
// safe for use by many goroutines.
//
// IDs have a meaning only between a plugin and one host. A multiplexed plugin may have
// several hosts: a method's context, or a context derived from it, chooses the calling
// host, and any other context the last host. context.WithoutCancel keeps the choice for
// more than the call.
//
// Once the plugin or the broker is closed, its errors are [core.ErrClosed].
type Broker struct {
	options  options
	security *core.TLS
	reason   func(ctx context.Context, err error) error // nil in a plugin
	closing  func() bool                                // whether the host has asked the plugin to leave; nil in a plugin
	calls    *core.Calls                                // nil in a host
	asked    bool                                       // the plugin's host has asked for the field of lending
	ctx      context.Context                            // ends with the broker
	cancel   context.CancelCauseFunc
	serving  sync.WaitGroup
	ids      broker.IDs

	mu      sync.Mutex
	schemes []exchange.Scheme // one for each use; the last is for new connections
	changed chan struct{}     // closed when schemes or failure changes
	failure error             // the reason for the end; nil until then
	over    context.Context   // ends with failure
	setOver context.CancelCauseFunc
	conns   map[*Conn]struct{}

	partners  map[exchange.Scheme]*partner // from the broker's stream on
	lenders   map[exchange.Scheme]*lender  // from the first lending on
	borrowing map[*lendingClient]struct{}  // connected
}

func newBroker(o options, security *core.TLS, reason func(context.Context, error) error, calls *core.Calls) *Broker {
	ctx, cancel := context.WithCancelCause(context.Background())
	over, setOver := context.WithCancelCause(ctx)
	return &Broker{
		over:     over,
		setOver:  setOver,
		options:  o,
		security: security,
		reason:   reason,
		calls:    calls,
		ctx:      ctx,
		cancel:   cancel,
		changed:  make(chan struct{}),
		conns:    make(map[*Conn]struct{}),

		partners:  make(map[exchange.Scheme]*partner),
		lenders:   make(map[exchange.Scheme]*lender),
		borrowing: make(map[*lendingClient]struct{}),
	}
}

// NextID returns an ID unused on this side. The other side has IDs of its own.
func (b *Broker) NextID() uint32 { return b.ids.Next() }

// Client connects to the other side's server at id, and waits for that server until
// ctx ends; ctx bounds nothing else. A lost connection is made again, to the same ID.
// Close the connection after use; the broker's end closes it too. Options are added to
// those of [WithDialOptions].
//
// An ID of [Lend] costs nothing until its first call, if both sides are of this package: the
// calls to all lent services share a connection. With options it has a connection of its own.
//
// The error is broker.ErrUnclaimed if the other side no longer serves id, and
// [core.ErrClosed] if the plugin has gone. For an ID of Lend they are errors of the calls.
func (b *Broker) Client(ctx context.Context, id uint32, opts ...grpc.DialOption) (*Conn, error) {
	c, err := b.client(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	if !b.keep(c) {
		_ = c.Close()
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, core.ErrClosed)
	}
	return c, nil
}

func (b *Broker) client(ctx context.Context, id uint32, opts []grpc.DialOption) (*Conn, error) {
	p, err := b.lends(ctx, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("borrow ID %d: %w", id, err)
	case p != nil && len(opts) == 0:
		return borrowConn(b, p, id)
	case p != nil:
		if id, err = b.ownID(ctx, p, id); err != nil {
			return nil, err
		}
	}
	return openConn(ctx, b, id, opts)
}

// lends returns the other side if id is a reference of its, otherwise nil.
func (b *Broker) lends(ctx context.Context, id uint32) (*partner, error) {
	if id < firstReference {
		return nil, nil //nolint:nilnil // no partner, and no error
	}
	if _, p, err := b.partner(ctx, true); err != nil || p.lends {
		return p, err
	}
	return nil, nil //nolint:nilnil // the same
}

// ownID returns an ID to dial for a reference.
func (b *Broker) ownID(ctx context.Context, p *partner, id uint32) (uint32, error) {
	conn, err := borrowConn(b, p, id)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	own, err := conn.shared.ownID(ctx)
	if err != nil {
		return 0, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	return own, nil
}

// Dial connects to id for a protocol of the caller's own, and waits until the other
// side accepts there, or ctx ends. It is under TLS if host and plugin are. The
// errors are those of Client.
func (b *Broker) Dial(ctx context.Context, id uint32) (net.Conn, error) {
	p, err := b.lends(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	if p != nil {
		if id, err = b.ownID(ctx, p, id); err != nil {
			return nil, err
		}
	}
	conn, err := b.dial(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.secureConn(ctx, id, conn, b.security)
}

// dialHTTP2 connects to a gRPC server at id.
func (b *Broker) dialHTTP2(ctx context.Context, id uint32) (net.Conn, error) {
	conn, err := b.dial(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.secureConn(ctx, id, conn, forHTTP2(b.security))
}

// secureConn does the TLS handshake on a connection made by dial.
func (b *Broker) secureConn(ctx context.Context, id uint32, conn net.Conn, security *core.TLS) (net.Conn, error) {
	ctx, cancel := b.within(ctx)
	defer cancel()
	conn, err := security.Connect(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("secure brokered connection %d: %w", id, err)
	}
	return conn, nil
}

// dial makes the connection without TLS.
func (b *Broker) dial(ctx context.Context, id uint32) (net.Conn, error) {
	ctx, cancel := b.within(ctx)
	defer cancel()
	ex, err := b.exchange(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	conn, err := ex.Dial(ctx, id) // its error names the ID
	if err == nil {
		return conn, nil
	}
	if reason := b.ended(); reason != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, reason)
	}
	return nil, closed(err)
}

// Serve serves the services registered by register, at id, over any number of
// connections, until ctx or the broker ends. Then it cuts calls in flight off, and
// returns the cause of ctx or [core.ErrClosed]. Options are added to those of
// [WithServerOptions].
func (b *Broker) Serve(
	ctx context.Context, id uint32, register func(grpc.ServiceRegistrar), opts ...grpc.ServerOption,
) error {
	serve, err := b.prepare(ctx, id, register, opts)
	if err != nil {
		return err
	}
	return serve()
}

// Listen returns a listener for id, for a server of the caller's own. Until it is
// closed it accepts every connection of the other side to id, under TLS if host and
// plugin are. ctx bounds only the call.
func (b *Broker) Listen(ctx context.Context, id uint32) (net.Listener, error) {
	if _, err := b.security.Serving(); err != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, err)
	}
	listener, err := b.listen(ctx, id)
	if err != nil {
		return nil, err
	}
	return b.secureListener(listener, named(b.security)), nil
}

// secureListener does the TLS handshakes of a listener made by b.listen.
func (b *Broker) secureListener(listener net.Listener, security *core.TLS) net.Listener {
	return secureListener(listener, security, b.options.connecting, b.options.logger)
}

// Accept waits until the other side dials id, once, or ctx ends. The connection is
// under TLS if host and plugin are. An ID has one Accept or listener at a time.
func (b *Broker) Accept(ctx context.Context, id uint32) (net.Conn, error) {
	listener, err := b.Listen(ctx, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	within, cancel := b.within(ctx)
	defer cancel()
	defer context.AfterFunc(within, func() { _ = listener.Close() })()
	conn, err := listener.Accept()
	if err == nil {
		return conn, nil
	}
	if within.Err() != nil {
		err = context.Cause(within)
	}
	return nil, fmt.Errorf("accept brokered connection %d: %w", id, closed(err))
}

// checkOwn refuses the IDs of lendings, if the other side has such.
func (b *Broker) checkOwn(ctx context.Context, id uint32) error {
	if id < firstReference {
		return nil
	}
	if _, p, err := b.partner(ctx, false); err == nil && p != nil && p.lends {
		return fmt.Errorf("%w: IDs from %d on are those of Lend", exchange.ErrListening, uint32(firstReference))
	}
	return nil
}

func (b *Broker) listen(ctx context.Context, id uint32) (net.Listener, error) {
	ctx, cancel := b.within(ctx)
	defer cancel()
	ex, err := b.exchange(ctx)
	if err == nil {
		err = b.checkOwn(ctx, id)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, err)
	}
	listener, err := ex.Listen(ctx, id) // its error names the ID
	if err == nil {
		return listener, nil
	}
	if reason := b.ended(); reason != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, reason)
	}
	return nil, closed(err)
}

// prepare listens before the other side gets the ID: from then on the ID can be
// dialled. The returned function serves.
func (b *Broker) prepare(
	ctx context.Context, id uint32, register func(grpc.ServiceRegistrar), opts []grpc.ServerOption,
) (serve func() error, err error) {
	if register == nil {
		return nil, fmt.Errorf("serve brokered connection %d: %w", id, errNoRegister)
	}
	server := newGRPCServer(append(b.options.serverOptions(b.security, b.calls, 0), opts...)...)
	guard := &registrar{server: server.Server}
	register(guard)
	if guard.err != nil {
		server.Stop()
		return nil, fmt.Errorf("serve brokered connection %d: %w", id, guard.err)
	}
	return b.prepared(ctx, id, server)
}

// prepared is prepare with a server.
func (b *Broker) prepared(ctx context.Context, id uint32, server *grpcServer) (serve func() error, err error) {
	if _, err := b.security.Serving(); err != nil {
		server.Stop()
		return nil, fmt.Errorf("serve brokered connection %d: %w", id, err)
	}
	listener, err := b.listen(ctx, id)
	if err != nil {
		server.Stop()
		return nil, err
	}
	if !b.begin() {
		server.Stop()
		_ = listener.Close()
		return nil, fmt.Errorf("serve brokered connection %d: %w", id, core.ErrClosed)
	}
	return func() error {
		defer b.serving.Done()
		within, cancel := b.within(ctx)
		defer cancel()
		stop := context.AfterFunc(within, server.Stop)
		defer stop()
		err := server.Serve(b.secureListener(listener, forHTTP2(b.security)))
		server.Stop()
		if within.Err() != nil {
			return context.Cause(within)
		}
		return err
	}, nil
}

// begin counts another server, unless the broker has ended.
func (b *Broker) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return false
	}
	b.serving.Add(1)
	return true
}

// exchange returns the scheme for new connections. In a method of a multiplexed plugin it
// is the calling host's. Elsewhere in a plugin it is the last host's, and waits for one.
func (b *Broker) exchange(ctx context.Context) (exchange.Scheme, error) {
	caller := callerOf(ctx)
	for {
		b.mu.Lock()
		latest, changed, failure := b.latest(), b.changed, b.failure
		b.mu.Unlock()
		switch {
		case failure != nil:
			return nil, failure
		case caller.broker == b:
			return caller.host, nil
		case latest != nil:
			return latest, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// latest returns the scheme of the last host with a broker's stream, or else of the last host;
// nil without a host. It is called with the lock.
func (b *Broker) latest() (latest exchange.Scheme) {
	for _, scheme := range slices.Backward(b.schemes) {
		if b.partners[scheme] != nil {
			return scheme
		}
		if latest == nil {
			latest = scheme
		}
	}
	return latest
}

// use makes ex the scheme for new connections until drop, or until the next use.
func (b *Broker) use(ex exchange.Scheme) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.schemes = append(slices.Clip(b.schemes), ex)
	b.wake()
}

// wake ends waits for a change. It is called with the lock.
func (b *Broker) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// end fails waiting and later requests with reason. Existing connections live on.
func (b *Broker) end(reason error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failure = reason
	b.setOver(reason)
	b.wake()
}

// ended returns the reason for the end; nil until then.
func (b *Broker) ended() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failure
}

// drop ends the use of ex. A plugin may have several hosts: the use of the others goes on.
func (b *Broker) drop(ex exchange.Scheme) {
	defer b.part(ex)
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.schemes, ex); i >= 0 {
		b.schemes = slices.Delete(slices.Clone(b.schemes), i, i+1)
	}
}

// keep notes a connection, to be closed with the broker.
func (b *Broker) keep(c *Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return false
	}
	b.conns[c] = struct{}{}
	return true
}

func (b *Broker) forget(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
}

// within returns a context ended by ctx, by the broker's close, and by end.
func (b *Broker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(b.over, func() { cancel(context.Cause(b.over)) })
	if b.over.Err() != nil {
		cancel(context.Cause(b.over)) // not a moment later
	}
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// closed wraps a closed error of the broker's scheme in core's.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) && !errors.Is(err, core.ErrClosed) {
		return fmt.Errorf("the broker is %w: %w", core.ErrClosed, err)
	}
	return err
}

// close ends the broker's connections and servers, and waits for them.
func (b *Broker) close() {
	b.mu.Lock()
	b.cancel(core.ErrClosed)
	conns, borrowing := b.conns, slices.Collect(maps.Keys(b.borrowing))
	b.conns = map[*Conn]struct{}{}
	b.mu.Unlock()
	for c := range conns {
		_ = c.Close()
	}
	closeAll(borrowing)
	b.serving.Wait()
}
