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
)

// Broker makes further connections between the host and the plugin, in either
// direction: for an object that the other side shall call ([Broker.Object]), a
// stream ([Broker.Reader], [Broker.Writer]), or anything that speaks over a
// connection (Dial and Accept with a number that NextID gave and a call carried
// over). It is safe for use by many goroutines, and ends with the connection
// that it belongs to.
type Broker struct {
	inner   *broker.Broker
	ctx     context.Context // ends with the session
	options options
	logger  *slog.Logger
	calls   *core.Calls // nil in a host
	explain func(context.Context, error) error

	mu      sync.Mutex
	closed  bool
	clients map[*Client]struct{}
}

func newBroker(ctx context.Context, session broker.Session, o options, logger *slog.Logger, calls *core.Calls,
	explain func(context.Context, error) error,
) *Broker {
	return &Broker{
		inner:   broker.New(session, o.broker),
		ctx:     ctx,
		options: o,
		logger:  logger,
		calls:   calls,
		explain: explain,
		clients: make(map[*Client]struct{}),
	}
}

// NextID returns a number for a new connection, unused on this side so far.
func (b *Broker) NextID() uint32 { return b.inner.NextID() }

// Dial connects to the acceptor of id at the other side, and waits for it until
// ctx ends.
func (b *Broker) Dial(ctx context.Context, id uint32) (broker.Conn, error) {
	return b.inner.Dial(ctx, id)
}

// Accept waits for the other side to dial id, until ctx ends.
func (b *Broker) Accept(ctx context.Context, id uint32) (broker.Conn, error) {
	return b.inner.Accept(ctx, id)
}

// Client dials id, where the other side serves an object, and returns a client
// of it. It is closed with the broker at the latest.
func (b *Broker) Client(ctx context.Context, id uint32) (*Client, error) {
	conn, err := b.inner.Dial(ctx, id)
	if err != nil {
		return nil, err
	}
	c := newClient(conn, b.options.maxMessage, b.explain)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = conn.Close()
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, broker.ErrClosed)
	}
	b.clients[c] = struct{}{}
	c.closed = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.clients, c)
	}
	return c, nil
}

// Serve lets the other side call object's methods over every connection that it
// makes to id, until ctx or the broker ends. It returns ctx's error then, or at
// once if object has no method that can be called.
func (b *Broker) Serve(ctx context.Context, id uint32, object any) error {
	s, err := newService(object)
	if err != nil {
		return err
	}
	return b.serve(ctx, id, services{pluginService: s})
}

func (b *Broker) serve(ctx context.Context, id uint32, objects services) error {
	ctx, cancel := b.within(ctx)
	defer cancel()
	for {
		conn, err := b.inner.Accept(ctx, id)
		if err != nil {
			return err
		}
		go b.answer(ctx, conn, objects)
	}
}

// answer answers the calls of one connection.
func (b *Broker) answer(ctx context.Context, conn net.Conn, objects services) {
	logTooLarge(b.logger, serveConn(ctx, conn, objects, b.options, b.calls))
}

// within returns a context that ends with ctx and with the broker.
func (b *Broker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(b.ctx, func() { cancel(broker.ErrClosed) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// dispense serves a new object to the one client that will dial the number that
// it returns.
func (b *Broker) dispense(object any) (uint32, error) {
	s, err := newService(object)
	if err != nil {
		return 0, err
	}
	id := b.inner.NextID()
	go func() {
		conn, err := b.inner.Accept(b.ctx, id)
		if err != nil {
			return // the connection has ended
		}
		b.answer(b.ctx, conn, services{pluginService: s})
	}()
	return id, nil
}

// lose fails what the clients are waiting for, and later calls.
func (b *Broker) lose(reason error) {
	b.mu.Lock()
	clients := slices.Collect(maps.Keys(b.clients))
	b.mu.Unlock()
	for _, c := range clients {
		_ = c.end(reason)
	}
}

// close ends the broker and the clients that were made with it.
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

// errNothingPassed is the error of opening the zero value of a reference.
var errNothingPassed = errors.New("the other side passed nothing here: the reference is zero")
