package exchange

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// staleGrace is how long a dial that found nobody at an offered address waits for
// the offer of the ID's next listener, which may be on its way.
const staleGrace = time.Second

// DialFunc connects to an address that the other side offered: "unix" and a
// path, or "tcp" and host:port. It returns when ctx is done.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// ListenFunc makes a listener and says under what address the other side
// reaches it, "unix" and a path or "tcp" and host:port. Closing the listener
// frees all that it made.
type ListenFunc func(ctx context.Context) (l net.Listener, network, address string, err error)

// Plain is the scheme with a socket for each listener. Make one with [NewPlain].
type Plain struct {
	control

	warner warner
	dialer DialFunc
	listen ListenFunc
	offers offers

	mu        sync.Mutex
	closed    bool
	listeners map[uint32]*plainListener
}

// NewPlain returns the scheme that makes its connections with dial and its
// listeners with listen.
func NewPlain(cfg broker.Config, dial DialFunc, listen ListenFunc) *Plain {
	cfg = withDefaults(cfg)
	p := &Plain{
		warner:    warner{log: cfg.Logger},
		dialer:    dial,
		listen:    listen,
		listeners: make(map[uint32]*plainListener),
	}
	p.control.init()
	p.offers.init(cfg.MaxOffers)
	return p
}

// Dial connects to the address that the other side offered for id, and waits for
// an offer as long as ctx lets it. An offer can be dialled late and often. If
// there is nobody at the address any more, and no other is offered within a
// second, the error is broker.ErrUnclaimed; if it cannot be an address, an
// [*InfoError]; if the address is there and cannot be connected to, what the
// DialFunc says. A later offer replaces the earlier.
func (p *Plain) Dial(ctx context.Context, id uint32) (net.Conn, error) {
	within, done := p.bound(ctx)
	defer done()
	conn, err := p.dial(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	return conn, nil
}

func (p *Plain) dial(ctx context.Context, id uint32) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	o, err := p.offers.get(ctx, id, nil)
	if err != nil {
		return nil, fmt.Errorf("the other side has not offered it: %w", err)
	}
	for {
		if o.err != nil {
			return nil, o.err
		}
		conn, err := p.dialer(ctx, o.network, o.address)
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !isGone(err) {
			return nil, err
		}
		gone := fmt.Errorf("%w: its offer came, but its listener has gone: %w", broker.ErrUnclaimed, err)
		if o = p.next(ctx, o); o == nil {
			if ctx.Err() != nil {
				gone = fmt.Errorf("%w (%w)", gone, context.Cause(ctx))
			}
			return nil, gone
		}
	}
}

// isGone reports whether err says that nobody listens at an address.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, errWSARefused)
}

// errWSARefused is WSAECONNREFUSED, which package syscall does not name. No other
// system has an error of that number.
const errWSARefused syscall.Errno = 10061

// next returns the offer that takes the place of a stale one, or nil if there is
// none in time.
func (p *Plain) next(ctx context.Context, stale *offer) *offer {
	ctx, cancel := context.WithTimeout(ctx, staleGrace)
	defer cancel()
	o, _ := p.offers.get(ctx, stale.id, stale)
	return o
}

// Listen makes a listener and offers its address to the other side, once. It
// waits for a control stream, and for the offer's being sent, as long as ctx
// lets it. Listeners outlive the control stream, but the next one is not told of
// them: it is another host's, or one that has lost its IDs.
func (p *Plain) Listen(ctx context.Context, id uint32) (net.Listener, error) {
	within, done := p.bound(ctx)
	defer done()
	l, err := p.open(within, id)
	if err != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, err)
	}
	return l, nil
}

func (p *Plain) open(ctx context.Context, id uint32) (net.Listener, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l := &plainListener{plain: p, id: id}
	if err := p.reserve(l); err != nil {
		return nil, err
	}
	inner, network, address, err := p.listen(ctx)
	if err != nil {
		p.release(l)
		return nil, err
	}
	l.Listener = inner
	info := Info{ServiceID: id, Network: network, Address: address}
	if fault := faultOf(info); fault != "" {
		_ = l.Close()
		return nil, fmt.Errorf("the listener cannot be offered: %s", fault)
	}
	if err := p.offer(ctx, info); err != nil {
		_ = l.Close()
		return nil, err
	}
	if !p.publish(l) {
		_ = l.Close()
		return nil, net.ErrClosed
	}
	return l, nil
}

// offer sends the info on the control stream, or on the next one if that ends.
func (p *Plain) offer(ctx context.Context, info Info) error {
	for {
		link, err := p.wait(ctx)
		if err != nil {
			return fmt.Errorf("there is no control stream: %w", err)
		}
		sent := make(chan error, 1)
		o := &outgoing{info: info, sent: func(err error) { sent <- err }}
		if !link.push(o) {
			continue
		}
		select {
		case err := <-sent:
			if err == nil {
				return nil
			}
			<-link.over
		case <-ctx.Done():
			link.withdraw(o)
			return context.Cause(ctx)
		}
	}
}

// Run exchanges offers on s; see [Scheme]. What the control stream before
// offered is forgotten when it begins.
func (p *Plain) Run(ctx context.Context, s Stream) error {
	return p.run(ctx, s, p, 0)
}

func (p *Plain) began(l *link) { p.offers.restart(l) }
func (p *Plain) ended(*link)   {}

func (p *Plain) received(ctx context.Context, l *link, info Info) {
	if info.Knock != nil {
		p.warner.warn(ctx, "a knock, but connections are not multiplexed", info.ServiceID)
		return
	}
	o := newOffer(info)
	if o.err != nil {
		p.warner.warn(ctx, o.err.Error(), info.ServiceID)
	}
	p.offers.put(l, o)
}

// Close closes the listeners, and makes everything that waits return
// net.ErrClosed. Connections that exist live on.
func (p *Plain) Close() error {
	p.cancel(net.ErrClosed)
	p.mu.Lock()
	p.closed = true
	var open []*plainListener
	for _, l := range p.listeners {
		if l.published {
			open = append(open, l)
		}
	}
	p.mu.Unlock()
	for _, l := range open {
		_ = l.Close()
	}
	return nil
}

func (p *Plain) reserve(l *plainListener) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return net.ErrClosed
	case p.listeners[l.id] != nil:
		return ErrListening
	}
	p.listeners[l.id] = l
	return nil
}

// publish makes the listener one that Close closes. Until then it belongs to the
// Listen that makes it.
func (p *Plain) publish(l *plainListener) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.published = true
	return !p.closed
}

func (p *Plain) release(l *plainListener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listeners[l.id] == l {
		delete(p.listeners, l.id)
	}
}

// plainListener is the caller's listener, whose ID is free again once it is
// closed.
type plainListener struct {
	net.Listener

	plain     *Plain
	id        uint32
	published bool // guarded by plain's lock
	closing   sync.Once
	err       error
}

func (l *plainListener) Close() error {
	l.closing.Do(func() {
		l.err = l.Listener.Close()
		l.plain.release(l)
	})
	return l.err
}
