package broker_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

func TestMaxUnclaimedDropsTheOldestConnection(t *testing.T) {
	b, peer := rawPair(t, broker.Config{MaxUnclaimed: 3})
	var streams []*yamux.Stream
	for i := range 4 {
		streams = append(streams, knock(t, peer, uint32(i+1)))
		waitFor(t, func() bool { return b.Unclaimed() == min(i+1, 3) && (i < 3 || isOver(streams[0])) })
	}
	for i, stream := range streams[1:] {
		if isOver(stream) {
			t.Fatalf("connection %d was dropped too", i+2)
		}
		conn, err := b.Accept(within(t), uint32(i+2))
		if err != nil {
			t.Fatal(err)
		}
		expectText(t, conn, skipID(t, stream), "kept")
	}
}

func TestMaxUnclaimedLimitsStreamsWithoutAnID(t *testing.T) {
	b, peer := rawPair(t, broker.Config{MaxUnclaimed: 2})
	var silent []*yamux.Stream
	for range 3 {
		stream, err := peer.Open(within(t))
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, stream)
	}
	receive(t, "the refusal of the third", silent[2].PeerDone())
	if isOver(silent[0]) || isOver(silent[1]) {
		t.Fatal("a stream within the bound was refused")
	}
	// An identified stream makes room for another.
	if _, err := silent[0].Write([]byte{1, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accept(within(t), 1); err != nil {
		t.Fatal(err)
	}
	var late *yamux.Stream
	waitFor(t, func() bool {
		late = knock(t, peer, 2)
		return b.Unclaimed() == 1 || !isOver(late)
	})
}

func TestPrefixedIsNotDelayedByASlowStream(t *testing.T) {
	b, peer := rawPair(t, broker.Config{PrefixTimeout: -1})
	dawdling, err := peer.Open(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dawdling.Write([]byte{7, 0}); err != nil {
		t.Fatal(err)
	}
	for id := range uint32(10) {
		stream := knock(t, peer, id+100)
		conn, err := b.Accept(within(t), id+100)
		if err != nil {
			t.Fatal(err)
		}
		expectText(t, conn, skipID(t, stream), "on time")
	}
	if _, err := dawdling.Write([]byte{0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accept(within(t), 7); err != nil {
		t.Fatal(err)
	}
}

// inBubble runs a test on a fake clock.
func inBubble(t *testing.T, cfg broker.Config, test func(t *testing.T, b *broker.Prefixed, peer *yamux.Session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessionsOver(t, c, s)
		b := broker.NewPrefixed(broker.Yamux(server), cfg)
		defer func() { b.Close(); client.Close(); server.Close() }()
		test(t, b, client)
	})
}

func TestUnclaimedConnectionsAreDroppedAtTheTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		setting, dropped time.Duration
	}{
		"default": {0, broker.DefaultUnclaimedTimeout},
		"short":   {time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, broker.Config{UnclaimedTimeout: c.setting}, func(t *testing.T, b *broker.Prefixed, peer *yamux.Session) {
				start := time.Now()
				stream := knock(t, peer, 1)
				<-stream.PeerDone()
				if took := time.Since(start); took != c.dropped {
					t.Errorf("dropped after %v, want %v", took, c.dropped)
				}
				if n := b.Entries(); n != 0 {
					t.Errorf("the table holds %d entries", n)
				}
			})
		})
	}
}

func TestUnclaimedConnectionsWaitWithoutATimeout(t *testing.T) {
	inBubble(t, broker.Config{UnclaimedTimeout: -1}, func(t *testing.T, b *broker.Prefixed, peer *yamux.Session) {
		stream := knock(t, peer, 1)
		<-time.After(1000 * time.Hour) // on the bubble's clock
		if isOver(stream) {
			t.Fatal("the connection was dropped")
		}
		if _, err := b.Accept(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	})
}

func TestUnclaimedTimeoutKeepsAcceptedConnections(t *testing.T) {
	inBubble(t, broker.Config{}, func(t *testing.T, b *broker.Prefixed, peer *yamux.Session) {
		stream := knock(t, peer, 1)
		conn, err := b.Accept(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(1000 * time.Hour) // on the bubble's clock
		if _, err := conn.Write([]byte("x")); err != nil || isOver(stream) {
			t.Fatalf("the connection ended: %v", err)
		}
	})
}

func TestPrefixTimeoutDropsAStreamWithoutAnID(t *testing.T) {
	for name, c := range map[string]struct {
		setting, dropped time.Duration
	}{
		"default": {0, broker.DefaultPrefixTimeout},
		"short":   {time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, broker.Config{PrefixTimeout: c.setting}, func(t *testing.T, b *broker.Prefixed, peer *yamux.Session) {
				start := time.Now()
				stream, err := peer.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := stream.Write([]byte{1, 0, 0}); err != nil {
					t.Fatal(err)
				}
				<-stream.PeerDone()
				if took := time.Since(start); took != c.dropped {
					t.Errorf("dropped after %v, want %v", took, c.dropped)
				}
			})
		})
	}
}

func TestWaitsEndWithTheirDeadline(t *testing.T) {
	for name, f := range map[string]func(*broker.Prefixed) func(context.Context, uint32) (broker.Conn, error){
		"Accept": func(b *broker.Prefixed) func(context.Context, uint32) (broker.Conn, error) { return b.Accept },
		"Dial":   func(b *broker.Prefixed) func(context.Context, uint32) (broker.Conn, error) { return b.Dial },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, broker.Config{}, func(t *testing.T, b *broker.Prefixed, _ *yamux.Session) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				start := time.Now()
				if _, err := f(b)(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want context.DeadlineExceeded", err)
				}
				if took := time.Since(start); took != 3*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
