package exchange_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
)

// broken is a stream with preset errors.
type broken struct{ send, recv error }

func (b broken) Send(exchange.Info) error     { return b.send }
func (b broken) Recv() (exchange.Info, error) { return exchange.Info{}, b.recv }

// stuckStream sends and receives nothing until it ends.
type stuckStream struct{ sending, over chan struct{} }

func (s *stuckStream) Send(exchange.Info) error {
	s.sending <- struct{}{}
	<-s.over
	return io.EOF
}

func (s *stuckStream) Recv() (exchange.Info, error) {
	<-s.over
	return exchange.Info{}, io.EOF
}

func TestRunReturnsTheStreamsError(t *testing.T) {
	failure := errors.New("the line is down")
	for name, both := range unrun(t) {
		b := both[0]
		if err := b.Run(within(t), broken{recv: io.EOF}); err != nil {
			t.Errorf("%s: the orderly end: %v", name, err)
		}
		if err := b.Run(within(t), broken{recv: failure}); !errors.Is(err, failure) {
			t.Errorf("%s: the failure: %v", name, err)
		}
	}
}

func TestRunEndsWithItsContextAndWithClose(t *testing.T) {
	why := errors.New("enough")
	kinds := map[string]func(*wire) exchange.Stream{
		"interruptible": func(w *wire) exchange.Stream { return w },
		"deaf":          func(w *wire) exchange.Stream { return deaf{w} },
	}
	for kind, stream := range kinds {
		t.Run(kind, func(t *testing.T) {
			for name, both := range unrun(t) {
				host := both[0]
				ctx, cancel := context.WithCancelCause(t.Context())
				a, _ := newWire(0)
				defer a.Interrupt()
				result := make(chan error, 1)
				go func() { result <- host.Run(ctx, stream(a)) }()
				cancel(why)
				if err := receive(t, "Run", result); !errors.Is(err, why) {
					t.Errorf("%s: after the context: %v", name, err)
				}
				b, _ := newWire(0)
				defer b.Interrupt()
				go func() { result <- host.Run(t.Context(), stream(b)) }()
				host.Close()
				if err := receive(t, "Run", result); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%s: after Close: %v", name, err)
				}
			}
		})
	}
}

func TestRunIsReplacedByALaterRun(t *testing.T) {
	for name, both := range unrun(t) {
		host, plugin := both[0], both[1]
		a, b := newWire(1)
		replaced := running(t, host, a)
		running(t, plugin, b)
		greet(listen(t, plugin, 1), "well")
		expectGreeting(t, host, 1, "well")
		waiting := dialing(within(t), host, 2)
		c, d := newWire(1)
		running(t, host, c)
		if err := receive(t, "Run", replaced); !errors.Is(err, exchange.ErrReplaced) {
			t.Errorf("%s: the earlier Run: %v", name, err)
		}
		waitFor(t, "the end of the other side's Run", func() bool { return b.Send(exchange.Info{}) != nil })
		running(t, plugin, deaf{d})
		greet(listen(t, plugin, 2), "on the next stream")
		connection(t, "a dial that waited", waiting)
		expectGreeting(t, host, 2, "on the next stream")
	}
}

func TestCallsWaitForAControlStream(t *testing.T) {
	for name, both := range unrun(t) {
		early := dialing(within(t), both[0], 1)
		listening := make(chan error, 1)
		go func() {
			l, err := both[1].Listen(within(t), 1)
			if err == nil {
				greet(l, "well")
			}
			listening <- err
		}()
		a, b := newWire(1)
		running(t, both[0], a)
		running(t, both[1], b)
		if err := receive(t, "Listen", listening); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		connection(t, "dial", early)
	}
}

func TestCallsEndDespiteAStuckStream(t *testing.T) {
	for name, both := range unrun(t) {
		b := both[0]
		stuck := &stuckStream{sending: make(chan struct{}, 1), over: make(chan struct{})}
		running(t, b, stuck)
		ctx, cancel := context.WithCancel(t.Context())
		dial := dialing(ctx, b, 1)
		listening := make(chan error, 1)
		go func() {
			_, err := b.Listen(ctx, 1)
			listening <- err
		}()
		receive(t, "a Send", stuck.sending)
		cancel()
		if r := receive(t, "Dial", dial); !errors.Is(r.err, context.Canceled) {
			t.Errorf("%s: Dial: %v", name, r.err)
		}
		if err := receive(t, "Listen", listening); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Listen: %v", name, err)
		}
		closed := make(chan error, 1)
		go func() { closed <- b.Close() }()
		receive(t, "Close", closed)
		close(stuck.over)
	}
}

func TestDialNamesTheReasonOfItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := exchange.NewPlain(broker.Config{}, pretend, nil)
		defer b.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Dial(ctx, 3)
		want := "dial brokered connection 3: the other side has not offered it: context deadline exceeded"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
