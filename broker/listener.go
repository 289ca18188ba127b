package broker

import (
	"context"
	"net"
	"strconv"
)

// Listen returns a listener for id, for servers that take one: it accepts every
// connection to the number until it or the broker is closed.
func (b *Broker) Listen(id uint32) net.Listener {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &listener{broker: b, id: id, ctx: ctx, cancel: cancel}
}

type listener struct {
	broker *Broker
	id     uint32
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.broker.Accept(l.ctx, l.id)
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
	}
	return conn, nil
}

func (l *listener) Close() error {
	l.cancel(net.ErrClosed)
	return nil
}

func (l *listener) Addr() net.Addr { return Addr(l.id) }

// Addr is the address of a brokered connection: its number.
type Addr uint32

// Network returns "broker".
func (Addr) Network() string { return "broker" }

func (a Addr) String() string { return strconv.FormatUint(uint64(a), 10) }
