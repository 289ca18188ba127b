package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
)

// Broker makes further connections between the host and the plugin, in either
// direction. [Broker.Lend] passes an object for the other side to call;
// [Broker.LendReader] and [Broker.LendWriter] pass streams. For a protocol of your
// own, send an ID from NextID in a call, and use it with Dial and Accept.
//
// A Broker is safe for use by many goroutines. It ends with its connection; its
// errors are [core.ErrClosed] from then on.
type Broker struct {
	inner   *broker.Prefixed
	ids     broker.IDs
	ctx     context.Context // ends with the session
	options options
	logger  *slog.Logger
	calls   *core.Calls // nil in a host
	explain func(context.Context, error) error
	serving chan struct{} // a token for each served connection
	crowded sync.Once     // logs an excess of connections

	mu      sync.Mutex
	closed  bool
	clients map[*Client]func()    // values run when their client closes
	waiting []*context.CancelFunc // dispensed objects without a client, the oldest first
}

func newBroker(ctx context.Context, mux broker.Mux, o options, logger *slog.Logger, calls *core.Calls,
	explain func(context.Context, error) error,
) *Broker {
	return &Broker{
		inner:   broker.NewPrefixed(mux, o.broker),
		ctx:     ctx,
		options: o,
		logger:  logger,
		calls:   calls,
		explain: explain,
		serving: make(chan struct{}, o.maxServed),
		clients: make(map[*Client]func()),
	}
}

// NextID returns an ID unused on this side. The other side has IDs of its own.
func (b *Broker) NextID() uint32 { return b.ids.Next() }

// Dial connects to the acceptor of id at the other side, and waits for it until
// ctx ends.
func (b *Broker) Dial(ctx context.Context, id uint32) (broker.Conn, error) {
	conn, err := b.inner.Dial(ctx, id)
	return conn, closed(err)
}

// Accept waits for the other side to dial id, until ctx ends.
func (b *Broker) Accept(ctx context.Context, id uint32) (broker.Conn, error) {
	conn, err := b.inner.Accept(ctx, id)
	return conn, closed(err)
}

// Listen returns a listener for id, for a server of the caller's own. Until it is
// closed it accepts every connection of the other side to id. ctx bounds only the
// call.
func (b *Broker) Listen(ctx context.Context, id uint32) (net.Listener, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, context.Cause(ctx))
	}
	return b.inner.Listen(id), nil
}

// Client dials id, where the other side serves an object, and returns a client
// of it. It is closed with the broker at the latest.
func (b *Broker) Client(ctx context.Context, id uint32) (*Client, error) {
	conn, err := b.Dial(ctx, id)
	if err != nil {
		return nil, err
	}
	var c *Client
	c = rpc.NewClient(conn, rpc.ClientConfig{
		MaxMessageSize: b.options.maxMessage,
		Explain:        b.explain,
		Closed:         func() { b.forget(c) },
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = conn.Close()
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, core.ErrClosed)
	}
	b.clients[c] = func() {}
	return c, nil
}

// forget removes a closed client.
func (b *Broker) forget(c *Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if closed, open := b.clients[c]; open {
		delete(b.clients, c)
		closed()
	}
}

// Serve lets the other side call object's methods over every connection to id, until
// ctx or the broker ends; then it returns ctx's error. An object without callable
// methods is an error at once.
func (b *Broker) Serve(ctx context.Context, id uint32, object any) error {
	s, err := rpc.NewService(object)
	if err != nil {
		return err
	}
	return b.serve(ctx, id, s)
}

func (b *Broker) serve(ctx context.Context, id uint32, object *rpc.Service) error {
	ctx, cancel := b.within(ctx)
	defer cancel()
	for {
		conn, err := b.Accept(ctx, id)
		if err != nil {
			return err
		}
		if !b.admit() {
			_ = conn.Reset()
			continue
		}
		go b.answer(ctx, conn, object)
	}
}

// admit takes a token for a connection to serve; false if there are too many.
func (b *Broker) admit() bool {
	select {
	case b.serving <- struct{}{}:
		return true
	default:
		b.crowded.Do(func() {
			b.logger.Warn("connections to this side's objects are refused: too many are open (WithMaxServed)",
				"limit", cap(b.serving))
		})
		return false
	}
}

// answer answers the calls of an admitted connection.
func (b *Broker) answer(ctx context.Context, conn net.Conn, object *rpc.Service) {
	defer func() { <-b.serving }()
	logTooLarge(b.logger, b.options.serve(ctx, conn, map[string]*rpc.Service{rpc.DefaultService: object}, b.calls))
}

// within returns a context that ends with ctx and with the broker.
func (b *Broker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(b.ctx, func() { cancel(core.ErrClosed) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// dispense serves a new object, to one client, at the returned ID.
func (b *Broker) dispense(object any) (uint32, error) {
	s, err := rpc.NewService(object)
	if err != nil {
		return 0, err
	}
	if len(b.serving) == cap(b.serving) {
		return 0, fmt.Errorf("%d of its objects are in use, and this side serves no more (WithMaxServed)", cap(b.serving))
	}
	id := b.ids.Next()
	ctx, done := b.await()
	go func() {
		defer done()
		conn, err := b.inner.Accept(ctx, id)
		if err != nil {
			return // the connection has ended, or too many came later
		}
		done()
		if !b.admit() {
			_ = conn.Reset()
			return
		}
		b.answer(b.ctx, conn, s)
	}()
	return id, nil
}

// await adds a dispensed object without a client. Above the limit the oldest object
// is dropped: its client's context ended, or its client never dials. done takes the
// object back, and may be called again.
func (b *Broker) await() (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	w := &cancel
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == cap(b.serving) {
		(*b.waiting[0])()
		b.waiting = b.waiting[1:]
	}
	b.waiting = append(b.waiting, w)
	return ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.waiting = slices.DeleteFunc(b.waiting, func(other *context.CancelFunc) bool { return other == w })
		cancel()
	}
}

// lose fails the clients' calls in flight, and later calls.
func (b *Broker) lose(reason error) {
	b.mu.Lock()
	clients := slices.Collect(maps.Keys(b.clients))
	b.mu.Unlock()
	for _, c := range clients {
		c.CloseWithError(reason)
	}
}

// close ends the broker and its clients.
func (b *Broker) close() {
	b.mu.Lock()
	b.closed = true
	clients := b.clients
	b.clients = nil
	b.mu.Unlock()
	for c := range clients {
		_ = c.Close()
	}
	_ = b.inner.Close()
}

// closed wraps a closed error of the broker's scheme in core's.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) && !errors.Is(err, core.ErrClosed) {
		return fmt.Errorf("the broker is %w: %w", core.ErrClosed, err)
	}
	return err
}
