package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
)

// noDemand is the refusal of a knock for an ID without a listener on demand. It is final: such
// a listener exists before its ID is told.
const noDemand = "jackfield: nobody listens on demand for this ID"

// ListenOnDemand returns a listener for id that costs nothing yet: the other side's first
// [Plain.DialOnDemand] makes the socket, and its address is offered then. Close frees the ID.
// Errors are net.ErrClosed, and ErrListening for an ID with a listener on demand. Both sides
// must have agreed on its use: go-plugin does not know it (protocol §10).
func (p *Plain) ListenOnDemand(id uint32) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, net.ErrClosed)
	case p.demanded[id] != nil:
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, ErrListening)
	}
	l := &demandListener{plain: p, id: id, open: make(chan struct{}), done: make(chan struct{})}
	if p.demanded == nil {
		p.demanded = make(map[uint32]*demandListener)
	}
	p.demanded[id] = l
	return l, nil
}

// DialOnDemand connects to the other side's listener on demand for id. It knocks unless the
// listener's offer is here, and again on the next control stream; it waits until ctx ends.
//
// The error is broker.ErrUnclaimed if the other side has no such listener, or no longer. The
// others are those of Dial.
func (p *Plain) DialOnDemand(ctx context.Context, id uint32) (net.Conn, error) {
	within, done := p.bound(ctx)
	defer done()
	conn, err := p.dialOnDemand(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	return conn, nil
}

func (p *Plain) dialOnDemand(ctx context.Context, id uint32) (net.Conn, error) {
	o := p.offers.peek(id)
	for stale := false; ; stale = true {
		if o == nil || o.err != nil || stale {
			var err error
			if o, err = p.demand(ctx, id, o); err != nil {
				return nil, err
			}
		}
		if refused := (*RefusedError)(nil); errors.As(o.err, &refused) {
			return nil, fmt.Errorf("%w: %w", broker.ErrUnclaimed, o.err)
		}
		if o.err != nil {
			return nil, o.err
		}
		conn, err := p.dialer(ctx, o.network, o.address)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !isGone(err):
			return nil, err
		case stale:
			return nil, fmt.Errorf("%w: its offer came, but its listener has gone: %w", broker.ErrUnclaimed, err)
		}
	}
}

// demand knocks for id and waits for an answer other than before.
func (p *Plain) demand(ctx context.Context, id uint32, before *offer) (*offer, error) {
	p.knocks.Store(true)
	for {
		link, err := p.wait(ctx)
		if err != nil {
			return nil, fmt.Errorf("there is no control stream: %w", err)
		}
		knock := &outgoing{info: Info{ServiceID: id, Knock: &Knock{Knock: true}}}
		if !link.push(knock) {
			continue
		}
		o, err := p.offers.get(ctx, id, before, link.over)
		switch {
		case o != nil:
			return o, nil
		case err != nil:
			link.withdraw(knock)
			return nil, fmt.Errorf("the other side has not offered it: %w", err)
		}
	}
}

// knocked handles a knock of the other side, or its answer to a knock.
func (p *Plain) knocked(ctx context.Context, from *link, info Info) {
	id := info.ServiceID
	switch {
	case info.Knock.Ack && info.Knock.Error != "" && p.knocks.Load():
		p.offers.put(from, &offer{id: id, err: &RefusedError{ID: id, Text: quote(info.Knock.Error)}})
	case !info.Knock.Knock || info.Knock.Ack || !p.onDemand():
		p.warner.warn(ctx, "a knock, but connections are not multiplexed", id)
	default:
		p.mu.Lock()
		l := p.demanded[id]
		p.mu.Unlock()
		if l == nil {
			from.refuse(id, noDemand)
			return
		}
		l.knocked(from)
	}
}

// onDemand reports whether this side has had a listener on demand.
func (p *Plain) onDemand() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.demanded != nil
}

func (l *link) refuse(id uint32, reason string) {
	l.push(&outgoing{info: Info{ServiceID: id, Knock: &Knock{Knock: true, Ack: true, Error: reason}}, answer: true})
}

// demandListener is a listener with a socket from the first knock on.
type demandListener struct {
	plain *Plain
	id    uint32
	open  chan struct{} // closed when inner is set
	done  chan struct{} // closed by Close

	mu      sync.Mutex
	closed  bool
	opening bool
	asked   *link // of the latest knock
	inner   net.Listener
	offered Info
}

// knocked offers the listener, and makes its socket before the first offer.
func (l *demandListener) knocked(from *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = from
	switch {
	case l.closed:
		from.refuse(l.id, noDemand)
	case l.inner != nil:
		from.push(&outgoing{info: l.offered, answer: true})
	case !l.opening:
		l.opening = true
		l.plain.running.Go(l.listen)
	}
}

// listen makes the socket. After an error the next knock tries again.
func (l *demandListener) listen() {
	inner, network, address, err := l.plain.listen(l.plain.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opening = false
	info := Info{ServiceID: l.id, Network: network, Address: address}
	switch {
	case err != nil:
		l.plain.cfg.Logger.WarnContext(l.plain.ctx, "cannot listen for brokered connections", "error", err)
		l.asked.refuse(l.id, "jackfield: the side that lends cannot listen")
	case l.closed || faultOf(info) != "":
		_ = inner.Close()
		l.asked.refuse(l.id, noDemand)
	default:
		l.inner, l.offered = inner, info
		close(l.open)
		l.asked.push(&outgoing{info: info, answer: true})
	}
}

// Accept waits for the socket and its next connection.
func (l *demandListener) Accept() (net.Conn, error) {
	select {
	case <-l.open:
		return l.inner.Accept()
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Addr returns the ID.
func (l *demandListener) Addr() net.Addr { return broker.Addr(l.id) }

// Close ends the listener and frees its ID.
func (l *demandListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	l.plain.forget(l)
	if l.inner != nil {
		return l.inner.Close()
	}
	return nil
}

func (p *Plain) forget(l *demandListener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.demanded, l.id)
}
