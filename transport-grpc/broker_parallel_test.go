package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// Knocks and streams are matched by their order alone (protocol §5).
func TestParallelDialsReachTheRightServers(t *testing.T) {
	const dials = 100
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		ctx, cancel := context.WithCancel(t.Context())
		var asking, serving sync.WaitGroup
		for _, s := range sides(r, h) {
			for range dials {
				id := s.near.NextID()
				asking.Go(func() { expectAnswer(t, s.other, id) })
				serving.Go(func() {
					if err := serveNumbered(ctx, s.near, id); !errors.Is(err, context.Canceled) {
						t.Errorf("Serve of %d: %v", id, err)
					}
				})
			}
		}
		asking.Wait()
		cancel()
		serving.Wait()
	})
}

// The same between two processes, where neither side waits for the other.
func TestParallelDialsBetweenProcesses(t *testing.T) {
	const dials = 100
	inEach(t, schemes, func(t *testing.T, m mode) {
		p := launch(t, "probe", host.Config{}, m.options()...)
		ctx, cancel := context.WithCancel(within(t))
		defer cancel()
		offered, err := p.probe.Offer(ctx, &probepb.OfferRequest{Count: dials})
		if err != nil {
			t.Fatal(err)
		}
		var lent []uint32
		for range dials {
			id, err := lendNumbered(ctx, p.broker)
			if err != nil {
				t.Fatal(err)
			}
			lent = append(lent, id)
		}
		var calls sync.WaitGroup
		calls.Go(func() {
			answers, err := askEach(ctx, p.broker, offered.GetIds())
			expectNumbers(t, "the plugin's", offered.GetIds(), answers, err)
		})
		calls.Go(func() {
			reached, err := p.probe.Reach(ctx, &probepb.ReachRequest{Ids: lent})
			expectNumbers(t, "the host's", lent, reached.GetAnswers(), err)
		})
		calls.Wait()
		promptly(t, "Close", p.Close)
	})
}

func expectNumbers(t *testing.T, whose string, ids []uint32, answers []string, err error) {
	t.Helper()
	if err != nil || len(answers) != len(ids) {
		t.Errorf("%d IDs, %s: %d answers, %v", len(ids), whose, len(answers), err)
		return
	}
	for i, id := range ids {
		if answers[i] != fmt.Sprint("who? ", id) {
			t.Errorf("ID %d, %s: answered by %q", id, whose, answers[i])
		}
	}
}

// Neither side keeps anything of a brokered connection (F25).
func TestBrokeredConnectionsLeaveNothing(t *testing.T) {
	const rounds, each = 20, 25 // in both directions: 1000
	inEach(t, schemes, func(t *testing.T, m mode) {
		p := launch(t, "probe", host.Config{}, m.options()...)
		brokerRound(t, p, each) // resources made once
		before := settled(t, p, nil)
		for range rounds {
			brokerRound(t, p, each)
		}
		settled(t, p, &before)
		promptly(t, "Close", p.Close)
		if n := socketFiles(t, p); n != 0 {
			t.Errorf("%d socket files are left", n)
		}
	})
}

// brokerRound opens and closes so many connections in either direction.
func brokerRound(t *testing.T, p *process, n uint32) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	offered, err := p.probe.Offer(ctx, &probepb.OfferRequest{Count: n})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := askEach(ctx, p.broker, offered.GetIds())
	expectNumbers(t, "the plugin's", offered.GetIds(), answers, err)
	if _, err := p.probe.Withdraw(ctx, &probepb.WithdrawRequest{Ids: offered.GetIds()}); err != nil {
		t.Fatal(err)
	}
	var lent []uint32
	for range n {
		id, err := lendNumbered(ctx, p.broker)
		if err != nil {
			t.Fatal(err)
		}
		lent = append(lent, id)
	}
	reached, err := p.probe.Reach(ctx, &probepb.ReachRequest{Ids: lent})
	expectNumbers(t, "the host's", lent, reached.GetAnswers(), err)
}

// usage is the open resources of host and plugin.
type usage struct{ hostGoroutines, hostFiles, goroutines, files, sockets int64 }

func (u usage) within(limit usage) bool {
	return u.hostGoroutines <= limit.hostGoroutines && u.hostFiles <= limit.hostFiles &&
		u.goroutines <= limit.goroutines && u.files <= limit.files && u.sockets <= limit.sockets
}

// settled returns the open resources once they are within the limit, or without a
// limit, once they are the same twice.
func settled(t *testing.T, p *process, limit *usage) usage {
	t.Helper()
	ctx := within(t)
	last := usage{}
	for {
		res, err := p.probe.Resources(ctx, &probepb.ResourcesRequest{})
		if err != nil {
			t.Fatalf("there is %+v, and was %+v: %v", last, limit, err)
		}
		goroutines, files := resources()
		now := usage{int64(goroutines), int64(files), res.GetGoroutines(), res.GetFiles(), int64(socketFiles(t, p))}
		if limit != nil && now.within(*limit) || limit == nil && now == last {
			return now
		}
		last = now
	}
}

func TestCloseFreesEverythingInTheMiddleOfBrokeredCalls(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		var calls []<-chan error
		for _, s := range sides(r, h) {
			id := s.near.NextID()
			calls = append(calls, async(func() error { return serveProbe(within(t), s.near, id) }))
			conn, err := s.other.Client(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			client := probepb.NewProbeServiceClient(conn)
			if _, err := client.Echo(within(t), &probepb.EchoRequest{}); err != nil {
				t.Fatal(err)
			}
			calls = append(calls,
				async(func() error { _, err := client.Block(within(t), &probepb.BlockRequest{}); return err }),
				async(func() error { _, err := s.other.Client(within(t), 4711); return err }),
				async(func() error { _, err := s.other.Dial(within(t), 4712); return err }),
			)
		}
		promptly(t, "the host's Close", h.Close)
		promptly(t, "the plugin's Close", func() error {
			r.server.Close()
			return r.ended(within(t))
		})
		for _, call := range calls {
			if err := receive(t, "the end of a call", call); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a brokered call returned %v, want an error", err)
			}
		}
		for _, s := range sides(r, h) {
			if _, err := s.near.Client(within(t), 1); !errors.Is(err, core.ErrClosed) {
				t.Errorf("Client afterwards: %v, want core.ErrClosed", err)
			}
			if _, err := s.near.Dial(within(t), 1); !errors.Is(err, core.ErrClosed) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("Dial afterwards: %v, want core.ErrClosed and net.ErrClosed", err)
			}
			if _, err := s.near.Accept(within(t), 1); !errors.Is(err, core.ErrClosed) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept afterwards: %v, want core.ErrClosed and net.ErrClosed", err)
			}
			if err := serveProbe(within(t), s.near, s.near.NextID()); !errors.Is(err, core.ErrClosed) {
				t.Errorf("Serve afterwards: %v, want core.ErrClosed", err)
			}
			if _, err := s.near.Listen(within(t), s.near.NextID()); !errors.Is(err, core.ErrClosed) {
				t.Errorf("Listen afterwards: %v, want core.ErrClosed", err)
			}
		}
		if n := r.sockets.count(t); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
}
