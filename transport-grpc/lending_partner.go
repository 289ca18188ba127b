package transportgrpc

import (
	"context"
	"io"

	"github.com/jackfield-go/jackfield/broker/exchange"
)

// abilities are the other side's, known at the beginning of the broker's stream.
type abilities struct {
	lends    bool // without cost, and borrows so
	services bool // a host offers services as long as the plugin runs
}

// partner is the other side, for one use of a scheme. The broker's lock guards it.
type partner struct {
	abilities

	scheme  exchange.Scheme
	clients map[uint32]*lendingClient // by the number of the other side's server
	retired bool                      // another use has begun, or the connection is lost

	fixed    *Conn         // to the services at the ID of WithHostServicesID; nil until a call
	dialling chan struct{} // a token for making fixed
}

// meet begins another use of ex. Connections to the partner before live on in their use: a
// plugin cannot tell whether it was the same host.
func (b *Broker) meet(ex exchange.Scheme, able abilities) {
	p := &partner{
		abilities: able, scheme: ex, clients: make(map[uint32]*lendingClient), dialling: make(chan struct{}, 1),
	}
	b.mu.Lock()
	unused := b.retire(b.partners[ex], false)
	b.partners[ex] = p
	b.wake()
	b.mu.Unlock()
	closeAll(unused)
}

// part forgets the other side of a lost ex.
func (b *Broker) part(ex exchange.Scheme) {
	b.mu.Lock()
	lost := b.retire(b.partners[ex], true)
	delete(b.partners, ex)
	delete(b.lenders, ex)
	b.mu.Unlock()
	closeAll(lost)
}

// retire takes a partner, or nil, out of use. It returns the connections to close: all, or
// the unused. It is called with the lock.
func (b *Broker) retire(p *partner, all bool) (unused []io.Closer) {
	if p == nil {
		return nil
	}
	p.retired = true
	if p.fixed != nil {
		unused = append(unused, p.fixed)
	}
	for _, c := range p.clients {
		if all || c.users == 0 {
			unused = append(unused, c)
		}
	}
	return unused
}

// partner returns the other side of the scheme for new connections. It waits for the broker's
// stream, unless the caller is impatient, and the scheme multiplexed with a host that has not
// asked for lending: nothing else waits for the stream then. The partner is nil then.
func (b *Broker) partner(ctx context.Context, patient bool) (exchange.Scheme, *partner, error) {
	if ex, p := b.met(ctx); p != nil {
		return ex, p, nil
	}
	ctx, cancel := b.within(ctx)
	defer cancel()
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		ex, err := b.exchange(ctx)
		if err != nil {
			return nil, nil, err
		}
		b.mu.Lock()
		p := b.partners[ex]
		b.mu.Unlock()
		if _, multiplexed := ex.(*exchange.Multiplexed); p != nil || multiplexed && !patient && !b.asked {
			return ex, p, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// met returns the other side of the scheme for new connections, if it is known.
func (b *Broker) met(ctx context.Context) (exchange.Scheme, *partner) {
	caller := callerOf(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failure != nil || ctx.Err() != nil || b.ctx.Err() != nil:
		return nil, nil
	case caller.broker == b:
		return caller.host, b.partners[caller.host]
	case len(b.schemes) > 0:
		ex := b.schemes[len(b.schemes)-1]
		return ex, b.partners[ex]
	default:
		return nil, nil
	}
}

func closeAll[C io.Closer](conns []C) {
	for _, c := range conns {
		_ = c.Close()
	}
}
