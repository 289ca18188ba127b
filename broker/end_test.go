package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

func TestAcceptAbandonedLeavesItsIDToOthers(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	why := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	abandoned := async(ctx, plugin.Accept, 1)
	waitFor(t, func() bool { return plugin.Waiting(1) == 1 })
	cancel(why)
	if got := receive(t, "accept", abandoned); !errors.Is(got.err, why) {
		t.Fatalf("got %v, want the context's cause", got.err)
	}
	if n := plugin.Entries(); n != 0 {
		t.Errorf("the table holds %d entries", n)
	}
	connect(t, host, plugin, 1)
}

func TestDialAbandonedIsNotHandedToALaterAccept(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	abandoned := async(ctx, host.Dial, 1)
	waitFor(t, func() bool { return plugin.Unclaimed() == 1 })
	cancel()
	if got := receive(t, "dial", abandoned); !errors.Is(got.err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", got.err)
	}
	connect(t, host, plugin, 2) // the cancelled dial has arrived by then
	dialled, accepted := connect(t, host, plugin, 1)
	expectText(t, dialled, accepted, "the second dial")
	if n := plugin.Entries(); n != 0 {
		t.Errorf("the table holds %d entries", n)
	}
}

func TestContextAlreadyEndedWaitsForNothing(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := host.Dial(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial returned %v", err)
	}
	if _, err := plugin.Accept(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Accept returned %v", err)
	}
}

// Dials and accepts are cancelled at all moments, including the moment of the
// match. A connection may then be lost, but no later connection is misdirected.
func TestCancelAtAnyMomentHarmsNobody(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	for i := range 300 {
		dialCtx, stopDial := context.WithCancel(t.Context())
		acceptCtx, stopAccept := context.WithCancel(t.Context())
		dial, accept := async(dialCtx, host.Dial, 1), async(acceptCtx, plugin.Accept, 1)
		if i%2 == 0 {
			stopDial()
			stopAccept()
		} else {
			stopAccept()
			stopDial()
		}
		for _, got := range []result{receive(t, "dial", dial), receive(t, "accept", accept)} {
			if got.err == nil {
				got.conn.Close()
			} else if !errors.Is(got.err, context.Canceled) && !errors.Is(got.err, broker.ErrUnclaimed) {
				t.Fatal(got.err)
			}
		}
	}
	dialled, accepted := connect(t, host, plugin, 2)
	expectText(t, dialled, accepted, "well")
}

func TestDialRefusesAWrongConfirmation(t *testing.T) {
	b, peer := rawPair(t, broker.Config{})
	for name, c := range map[string]struct {
		answer func(*yamux.Stream)
		want   error // nil: any
	}{
		"another ID": {func(s *yamux.Stream) { _, _ = s.Write([]byte{2, 0, 0, 0}) }, nil},
		"half an ID": {func(s *yamux.Stream) { _, _ = s.Write([]byte{1, 0}); s.Close() }, broker.ErrUnclaimed},
		"nothing":    {func(s *yamux.Stream) { s.Close() }, broker.ErrUnclaimed},
		"a reset":    {func(s *yamux.Stream) { _ = s.Reset() }, broker.ErrUnclaimed},
	} {
		t.Run(name, func(t *testing.T) {
			dial := async(within(t), b.Dial, 1)
			stream, err := peer.Accept(within(t))
			if err != nil {
				t.Fatal(err)
			}
			skipID(t, stream)
			c.answer(stream)
			if got := receive(t, "dial", dial); got.err == nil || (c.want != nil && !errors.Is(got.err, c.want)) {
				t.Errorf("got %v, want %v", got.err, c.want)
			}
			receive(t, "the end of the stream", stream.Done())
		})
	}
}

// waiters has a Dial and an Accept wait at b.
func waiters(t *testing.T, b, other *broker.Prefixed) map[string]<-chan result {
	t.Helper()
	all := map[string]<-chan result{
		"Dial": async(within(t), b.Dial, 1), "Accept": async(within(t), b.Accept, 1),
	}
	waitFor(t, func() bool { return b.Waiting(1) == 1 && other.Unclaimed() == 1 })
	return all
}

func TestSessionEndWakesEverybody(t *testing.T) {
	for name, end := range map[string]func(client, server *yamux.Session, conn io.Closer){
		"here":      func(_, server *yamux.Session, _ io.Closer) { server.Close() },
		"there":     func(client, _ *yamux.Session, _ io.Closer) { client.Close() },
		"by breach": func(_, _ *yamux.Session, conn io.Closer) { conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			c, s := socketPair(t)
			client, server := sessionsOver(t, c, s)
			host, plugin := brokersOn(t, client, server, broker.Config{})
			waiting := waiters(t, plugin, host)
			end(client, server, c)
			for what, w := range waiting {
				got := receive(t, what, w)
				if !errors.Is(got.err, net.ErrClosed) || !errors.Is(got.err, server.Err()) {
					t.Errorf("%s returned %v, want ErrClosed with %v", what, got.err, server.Err())
				}
			}
			if _, err := plugin.Dial(within(t), 2); !errors.Is(err, net.ErrClosed) {
				t.Errorf("a later Dial returned %v, want ErrClosed", err)
			}
			if _, err := plugin.Accept(within(t), 2); !errors.Is(err, net.ErrClosed) {
				t.Errorf("a later Accept returned %v, want ErrClosed", err)
			}
		})
	}
}

func TestCloseWakesEverybodyAndKeepsAcceptedConnections(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	dialled, accepted := connect(t, host, plugin, 50)
	waiting := waiters(t, plugin, host)
	unclaimed := async(within(t), host.Dial, 99)
	waitFor(t, func() bool { return plugin.Unclaimed() == 1 })
	for range 2 {
		if err := plugin.Close(); err != nil {
			t.Error(err)
		}
	}
	for what, w := range waiting {
		if got := receive(t, what, w); !errors.Is(got.err, net.ErrClosed) {
			t.Errorf("%s returned %v, want ErrClosed", what, got.err)
		}
	}
	if got := receive(t, "unclaimed dial", unclaimed); !errors.Is(got.err, broker.ErrUnclaimed) {
		t.Errorf("the other side's dial returned %v, want ErrUnclaimed", got.err)
	}
	if _, err := plugin.Dial(within(t), 2); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a later Dial returned %v, want ErrClosed", err)
	}
	if _, err := plugin.Accept(within(t), 2); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a later Accept returned %v, want ErrClosed", err)
	}
	expectText(t, dialled, accepted, "still there")
}
