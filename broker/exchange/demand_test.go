package exchange_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
)

// counted is a running pair of plain brokers. It counts the near side's sockets.
func counted(t *testing.T) (near, far *exchange.Plain, sockets *atomic.Int32) {
	t.Helper()
	noLeaks(t)
	listen := listenIn(t)
	sockets = new(atomic.Int32)
	near = exchange.NewPlain(broker.Config{}, dialNet, func(ctx context.Context) (net.Listener, string, string, error) {
		sockets.Add(1)
		return listen(ctx)
	})
	t.Cleanup(func() { near.Close() })
	far = newPlain(t, broker.Config{})
	a, b := newWire(1)
	running(t, near, a)
	running(t, far, deaf{b})
	return near, far, sockets
}

func TestListenerOnDemandHasASocketFromTheFirstDialOn(t *testing.T) {
	near, far, sockets := counted(t)
	l, err := near.ListenOnDemand(5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := near.ListenOnDemand(5); !errors.Is(err, exchange.ErrListening) {
		t.Errorf("a second listener: %v", err)
	}
	greet(l, "hello")
	// Another ID's connection shows that nothing was offered before.
	greet(listen(t, near, 6), "other")
	expectGreeting(t, far, 6, "other")
	if n := sockets.Load(); n != 1 || far.Entries() != 1 {
		t.Errorf("%d sockets, %d offers before the first dial", n, far.Entries())
	}
	var dials []<-chan result
	for range 20 {
		dials = append(dials, async(func() (net.Conn, error) { return far.DialOnDemand(within(t), 5) }))
	}
	for _, c := range dials {
		connection(t, "a dial", c).Close()
	}
	if n := sockets.Load(); n != 2 {
		t.Errorf("%d sockets", n)
	}
	l.Close()
	l.Close()
	if _, err := far.DialOnDemand(within(t), 5); !errors.Is(err, broker.ErrUnclaimed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
}

func TestDialOnDemandIsRefusedWithoutAListener(t *testing.T) {
	near, far, _ := counted(t)
	l, err := near.ListenOnDemand(5)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 2 {
		var refused *exchange.RefusedError
		if _, err := far.DialOnDemand(within(t), 7); !errors.Is(err, broker.ErrUnclaimed) || !errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	}
	accepted := async(l.Accept)
	connection(t, "another ID", async(func() (net.Conn, error) { return far.DialOnDemand(within(t), 5) })).Close()
	connection(t, "its other end", accepted).Close()
}

func TestDialOnDemandKnocksAgainOnTheNextControlStream(t *testing.T) {
	noLeaks(t)
	near, far := newPlain(t, broker.Config{}), newPlain(t, broker.Config{})
	l, err := near.ListenOnDemand(5)
	if err != nil {
		t.Fatal(err)
	}
	greet(l, "hello")
	a, silent := newWire(1)
	lost := running(t, far, a)
	dialing := async(func() (net.Conn, error) { return far.DialOnDemand(within(t), 5) })
	if info, err := silent.Recv(); err != nil || info.ServiceID != 5 || info.Knock == nil {
		t.Fatalf("got %v, %v", info, err)
	}
	silent.Interrupt()
	receive(t, "the end of the first stream", lost)
	c, d := newWire(1)
	running(t, far, c)
	running(t, near, deaf{d})
	connection(t, "the dial", dialing).Close()
	// The offer is forgotten with a third stream, and the socket stays.
	e, f := newWire(1)
	running(t, far, e)
	running(t, near, deaf{f})
	connection(t, "another dial", async(func() (net.Conn, error) { return far.DialOnDemand(within(t), 5) })).Close()
}

func TestListenerOnDemandTriesAgainAfterAFailure(t *testing.T) {
	noLeaks(t)
	listen, failed := listenIn(t), false
	near := exchange.NewPlain(broker.Config{}, dialNet, func(ctx context.Context) (net.Listener, string, string, error) {
		if !failed {
			failed = true
			return nil, "", "", fs.ErrPermission
		}
		return listen(ctx)
	})
	t.Cleanup(func() { near.Close() })
	far := newPlain(t, broker.Config{})
	a, b := newWire(1)
	running(t, near, a)
	running(t, far, deaf{b})
	l, err := near.ListenOnDemand(5)
	if err != nil {
		t.Fatal(err)
	}
	greet(l, "hello")
	if _, err := far.DialOnDemand(within(t), 5); err == nil {
		t.Error("a dial without a socket succeeded")
	}
	connection(t, "the next dial", async(func() (net.Conn, error) { return far.DialOnDemand(within(t), 5) })).Close()
}

func TestCloseEndsWaitsOnDemand(t *testing.T) {
	noLeaks(t)
	b := newPlain(t, broker.Config{})
	l, err := b.ListenOnDemand(5)
	if err != nil {
		t.Fatal(err)
	}
	accepting := async(l.Accept)
	dialing := async(func() (net.Conn, error) { return b.DialOnDemand(within(t), 5) })
	ctx, cancel := context.WithCancelCause(t.Context())
	abandoned := async(func() (net.Conn, error) { return b.DialOnDemand(ctx, 5) })
	cancel(fs.ErrInvalid)
	if r := receive(t, "the abandoned dial", abandoned); !errors.Is(r.err, fs.ErrInvalid) {
		t.Errorf("got %v, want the context's cause", r.err)
	}
	b.Close()
	for _, c := range []<-chan result{accepting, dialing} {
		if r := receive(t, "a wait", c); !errors.Is(r.err, net.ErrClosed) {
			t.Errorf("got %v", r.err)
		}
	}
	if _, err := b.ListenOnDemand(6); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
