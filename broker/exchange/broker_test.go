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

func TestEachSideReachesTheOthersListener(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
		greet(listen(t, host, 7), "host")
		greet(listen(t, plugin, 7), "plugin")
		expectGreeting(t, host, 7, "plugin")
		expectGreeting(t, plugin, 7, "host")
	})
}

func TestConnectionsCarryBothWays(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
		accepting := async(listen(t, plugin, 1).Accept)
		dialled := connection(t, "dial", dialing(within(t), host, 1))
		accepted := connection(t, "accept", accepting)
		expectText(t, dialled, accepted, "there")
		expectText(t, accepted, dialled, "and back")
	})
}

func TestNumbersStartAtOne(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, _ exchange.Broker) {
		for want := range uint32(3) {
			if got := host.NextID(); got != want+1 {
				t.Errorf("got %d, want %d", got, want+1)
			}
		}
	})
}

func TestANumberMayBeDialledBeforeItIsListenedFor(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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

func TestANumberMayBeDialledOften(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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

func TestAHundredParallelDialsInEachDirectionReachTheirListeners(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
		for range 20 {
			parallelDials(t, host, plugin, 100)
		}
	})
}

// With bounds like these, every knock loses its turn, most are refused at first,
// and answers come in any order.
func TestParallelDialsReachTheirListenersHoweverTightTheBounds(t *testing.T) {
	for name, cfg := range map[string]exchange.Config{
		"no patience":      {Patience: 1},
		"refused at once":  {Patience: 1, UnclaimedTimeout: 1},
		"little room":      {MaxPending: 3, Backlog: 1},
		"none of anything": {Patience: 1, MaxPending: 3, Backlog: 1, UnclaimedTimeout: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			host, plugin := multiplexedPair(t, cfg)
			for range 5 {
				parallelDials(t, host, plugin, 50)
			}
		})
	}
}

// parallelDials has each side dial so many numbers of the other's, each of which
// gets its listener at about the same time.
func parallelDials(t *testing.T, host, plugin exchange.Broker, dials int) {
	t.Helper()
	sides := []struct {
		name           string
		dialer, server exchange.Broker
	}{{"from the host", host, plugin}, {"from the plugin", plugin, host}}
	var all sync.WaitGroup
	for _, side := range sides {
		for range dials {
			id := side.server.NextID()
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

func greetOnce(ctx context.Context, b exchange.Broker, id uint32, text string) error {
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

func TestANumberHasOneListener(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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

// Dials give up at all moments: no later one goes astray.
func TestGivingUpAtAnyMomentHarmsNobody(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
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
			if r := receive(t, what, c); !errors.Is(r.err, broker.ErrClosed) && !errors.Is(r.err, net.ErrClosed) {
				t.Errorf("%s: %v", what, r.err)
			}
		}
		if _, err := plugin.Dial(within(t), 1); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("a later Dial: %v", err)
		}
		if _, err := plugin.Listen(within(t), 3); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("a later Listen: %v", err)
		}
		a, _ := newWire(0)
		if err := plugin.Run(within(t), a); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("a later Run: %v", err)
		}
		expectText(t, dialled, accepted, "still there")
	})
}

func TestAThousandConnectionsLeaveNothing(t *testing.T) {
	inBothSchemes(t, func(t *testing.T, host, plugin exchange.Broker) {
		before := openFiles(t)
		for range 1000 {
			id := plugin.NextID()
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
