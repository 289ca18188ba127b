package exchange

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// staleGrace is the time a dial with a stale offer waits for the next
// listener's offer, which may be in transit.
const staleGrace = time.Second

// DialFunc connects to an address offered by the other side: "unix" and a path,
// or "tcp" and host:port. It returns when ctx is done.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// ListenFunc makes a listener and returns its address for the other side:
// "unix" and a path, or "tcp" and host:port. Closing the listener frees all its
// resources.
type ListenFunc func(ctx context.Context) (l net.Listener, network, address string, err error)

// Plain is the scheme with a socket for each listener. Create it with [NewPlain].
type Plain struct {
	control

	cfg     broker.Config
	warner  warner
	dialer  DialFunc
	listen  ListenFunc
	offers  offers
	running sync.WaitGroup // the goroutines making sockets on demand
	knocks  atomic.Bool    // this side has knocked

	mu        sync.Mutex
	closed    bool
	listeners map[uint32]*plainListener
	demanded  map[uint32]*demandListener // nil until the first
}

// NewPlain returns a scheme with dial for its connections and listen for its
// listeners.
func NewPlain(cfg broker.Config, dial DialFunc, listen ListenFunc) *Plain {
	cfg = withDefaults(cfg)
	p := &Plain{
		cfg:       cfg,
		warner:    warner{log: cfg.Logger},
		dialer:    dial,
		listen:    listen,
		listeners: make(map[uint32]*plainListener),
	}
	p.control.init()
	p.offers.init(cfg.MaxOffers)
	return p
}

// Dial connects to the address offered by the other side for id. It waits for
// an offer until ctx ends. An offer can be dialled late and often; a later
// offer replaces it.
//
// The error is broker.ErrUnclaimed if the address has no listener any more and
// no new offer arrives within a second. It is an [*OfferError] for an invalid
// address, and otherwise the error of the DialFunc.
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
	o, err := p.offers.get(ctx, id, nil, nil)
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

// isGone reports whether err means an address without a listener.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, errWSARefused)
}

// errWSARefused is WSAECONNREFUSED, which has no name in package syscall. No
// other system uses this error number.
const errWSARefused syscall.Errno = 10061

// next returns the offer that replaces a stale offer, or nil after the grace
// time.
func (p *Plain) next(ctx context.Context, stale *offer) *offer {
	ctx, cancel := context.WithTimeout(ctx, staleGrace)
	defer cancel()
	o, _ := p.offers.get(ctx, stale.id, stale, nil)
	return o
}

// Listen makes a listener and offers its address to the other side, once. It
// waits for a control stream and for the sending of the offer until ctx ends.
// Listeners outlive the control stream, but are not offered again on the next:
// its host is another, or has lost its IDs.
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
	p.note(l, info)
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

// offer sends the info on the control stream, or on the next one after an end.
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

// Run exchanges offers on s; see [Scheme]. When it begins, it forgets the
// offers of the previous control stream.
func (p *Plain) Run(ctx context.Context, s Stream) error {
	return p.run(ctx, s, p, p.maxAnswers())
}

// Resume is Run with the next control stream to the same peer, which is sure to have
// its listeners still: its offers stay, and those of the listeners here that are open
// are made again.
func (p *Plain) Resume(ctx context.Context, s Stream) error {
	return p.run(ctx, s, resuming{p}, p.maxAnswers())
}

// maxAnswers limits the unread answers to knocks for listeners on demand.
func (p *Plain) maxAnswers() int { return max(p.cfg.MaxUnclaimed, defaultMaxUnclaimed) }

func (p *Plain) began(l *link) { p.offers.restart(l) }
func (p *Plain) ended(*link)   {}

// resuming is a Plain whose control stream goes on where the last one ended.
type resuming struct{ *Plain }

func (p resuming) began(l *link) {
	p.offers.resume(l)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, open := range p.listeners {
		if open.offered.Address != "" {
			l.push(&outgoing{info: open.offered})
		}
	}
}

func (p *Plain) received(ctx context.Context, l *link, info Info) {
	if info.Knock != nil {
		p.knocked(ctx, l, info)
		return
	}
	o := newOffer(info)
	if o.err != nil {
		p.warner.warn(ctx, o.err.Error(), info.ServiceID)
	}
	p.offers.put(l, o)
}

// Close closes the listeners and ends all waits with net.ErrClosed. Existing
// connections live on.
func (p *Plain) Close() error {
	p.cancel(net.ErrClosed)
	p.mu.Lock()
	p.closed = true
	var open []net.Listener
	for _, l := range p.listeners {
		if l.published {
			open = append(open, l)
		}
	}
	for _, l := range p.demanded {
		open = append(open, l)
	}
	p.mu.Unlock()
	for _, l := range open {
		_ = l.Close()
	}
	p.running.Wait()
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

// note has the listener offered again by Resume.
func (p *Plain) note(l *plainListener, info Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.offered = info
}

// publish registers the listener for Close. Until then it belongs to its Listen
// call.
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

// plainListener is the caller's listener. Closing it frees its ID.
type plainListener struct {
	net.Listener

	plain     *Plain
	id        uint32
	published bool // guarded by plain's lock, as offered is
	offered   Info
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
