package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
)

func TestDialReachesTheOtherSidesListener(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		greet(listen(t, host, 7), "host")
		greet(listen(t, plugin, 7), "plugin")
		expectGreeting(t, host, 7, "plugin")
		expectGreeting(t, plugin, 7, "host")
	})
}

func TestConnectionsCarryBothWays(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		accepting := async(listen(t, plugin, 1).Accept)
		dialled := connection(t, "dial", dialing(within(t), host, 1))
		accepted := connection(t, "accept", accepting)
		expectText(t, dialled, accepted, "there")
		expectText(t, accepted, dialled, "and back")
	})
}

func TestDialMayPrecedeTheListener(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		var early sync.WaitGroup
		for range 3 {
			early.Go(func() {
				if got, err := greeting(within(t), host, 1); err != nil || got != "late" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		greet(listen(t, plugin, 2), "on time")
		expectGreeting(t, host, 2, "on time")
		greet(listen(t, plugin, 1), "late")
		early.Wait()
	})
}

func TestDialMayRepeatAnID(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		greet(listen(t, plugin, 1), "well")
		for range 5 {
			expectGreeting(t, host, 1, "well")
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got, err := greeting(within(t), host, 1); err != nil || got != "well" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		all.Wait()
	})
}

func TestParallelDialsReachTheirListenersInEachDirection(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		for range 20 {
			parallelDials(t, host, plugin, 100)
		}
	})
}

// With these limits every knock loses its turn, most are refused at first, and
// answers arrive in any order.
func TestParallelDialsReachTheirListenersAtTightLimits(t *testing.T) {
	for name, cfg := range map[string]broker.Config{
		"no patience":      {Patience: 1},
		"refused at once":  {Patience: 1, UnclaimedTimeout: 1},
		"little room":      {MaxUnclaimed: 3, Backlog: 1},
		"none of anything": {Patience: 1, MaxUnclaimed: 3, Backlog: 1, UnclaimedTimeout: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			host, plugin := multiplexedPair(t, cfg)
			for range 5 {
				parallelDials(t, host, plugin, 50)
			}
		})
	}
}

// parallelDials makes each side dial many IDs of the other. Each gets its
// listener at about the same time.
func parallelDials(t *testing.T, host, plugin exchange.Scheme, dials int) {
	t.Helper()
	sides := []struct {
		name           string
		dialer, server exchange.Scheme
	}{{"from the host", host, plugin}, {"from the plugin", plugin, host}}
	var all sync.WaitGroup
	for _, side := range sides {
		var ids broker.IDs
		for range dials {
			id := ids.Next()
			want := fmt.Sprintf("%s %d", side.name, id)
			all.Go(func() {
				if got, err := greeting(within(t), side.dialer, id); err != nil || got != want {
					t.Errorf("%q, %v; want %q", got, err, want)
				}
			})
			all.Go(func() {
				if err := greetOnce(within(t), side.server, id, want); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

func greetOnce(ctx context.Context, b exchange.Scheme, id uint32, text string) error {
	l, err := b.Listen(ctx, id)
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = fmt.Fprint(conn, text)
	return err
}

func TestListenRefusesASecondListener(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		first := listen(t, plugin, 1)
		if _, err := plugin.Listen(within(t), 1); !errors.Is(err, exchange.ErrListening) {
			t.Fatalf("the second: %v, want ErrListening", err)
		}
		first.Close()
		if _, err := first.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
		}
		greet(listen(t, plugin, 1), "the next")
		expectGreeting(t, host, 1, "the next")
	})
}

func TestWaitsEndWithTheirContext(t *testing.T) {
	why := errors.New("changed my mind")
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		ctx, cancel := context.WithCancelCause(t.Context())
		dial := dialing(ctx, host, 1)
		cancel(why)
		if r := receive(t, "dial", dial); !errors.Is(r.err, why) {
			t.Errorf("Dial: %v, want the cause", r.err)
		}
		if _, err := host.Dial(ctx, 1); !errors.Is(err, why) {
			t.Errorf("Dial with an ended context: %v", err)
		}
		if _, err := host.Listen(ctx, 1); !errors.Is(err, why) {
			t.Errorf("Listen with an ended context: %v", err)
		}
		if err := host.Run(ctx, nil); !errors.Is(err, why) {
			t.Errorf("Run with an ended context: %v", err)
		}
		greet(listen(t, plugin, 1), "still there")
		expectGreeting(t, host, 1, "still there")
	})
}

// Dials are cancelled at all moments: no later dial is misdirected.
func TestCancelAtAnyMomentHarmsNobody(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		greet(listen(t, plugin, 1), "one")
		greet(listen(t, plugin, 2), "two")
		for i := range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			other := async(func() (net.Conn, error) {
				text, err := greeting(within(t), host, 2)
				if err == nil && text != "two" {
					err = fmt.Errorf("got %q", text)
				}
				return nil, err
			})
			dial := dialing(ctx, host, 1)
			if i%2 == 0 {
				cancel()
			} else {
				time.AfterFunc(time.Duration(i)*time.Microsecond, cancel)
			}
			if r := receive(t, "dial", dial); r.err == nil {
				r.conn.Close()
			} else if !errors.Is(r.err, context.Canceled) {
				t.Fatal(r.err)
			}
			cancel()
			if r := receive(t, "the other dial", other); r.err != nil {
				t.Fatal(r.err)
			}
		}
	})
}

func TestCloseWakesEverybodyAndKeepsConnections(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		l := listen(t, plugin, 1)
		accepting := async(l.Accept)
		dialled := connection(t, "dial", dialing(within(t), host, 1))
		accepted := connection(t, "accept", accepting)
		waiting := map[string]<-chan result{"Dial": dialing(within(t), plugin, 9), "Accept": async(l.Accept)}
		for range 2 {
			if err := plugin.Close(); err != nil {
				t.Error(err)
			}
		}
		for what, c := range waiting {
			if r := receive(t, what, c); !errors.Is(r.err, net.ErrClosed) {
				t.Errorf("%s: %v", what, r.err)
			}
		}
		if _, err := plugin.Dial(within(t), 1); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a later Dial: %v", err)
		}
		if _, err := plugin.Listen(within(t), 3); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a later Listen: %v", err)
		}
		a, _ := newWire(0)
		if err := plugin.Run(within(t), a); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a later Run: %v", err)
		}
		expectText(t, dialled, accepted, "still there")
	})
}

func TestConnectionsLeaveNothing(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Scheme) {
		before := openFiles(t)
		var ids broker.IDs
		for range 1000 {
			id := ids.Next()
			l := listen(t, plugin, id)
			accepting := async(l.Accept)
			dialled, err := host.Dial(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			accepted := receive(t, "accept", accepting)
			if accepted.err != nil {
				t.Fatal(accepted.err)
			}
			dialled.Close()
			accepted.conn.Close()
			l.Close()
		}
		waitFor(t, "no more files than before", func() bool { return openFiles(t) <= before })
	})
}
