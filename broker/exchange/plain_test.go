package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
)

// addressed is a connection with its dialled address.
type addressed struct {
	net.Conn

	to string
}

func (addressed) Close() error { return nil }

var errGone = fmt.Errorf("nobody listens there: %w", fs.ErrNotExist)

var errForbidden = errors.New("another user's")

// pretend dials everything but "gone" and "forbidden".
func pretend(_ context.Context, network, address string) (net.Conn, error) {
	switch address {
	case "gone":
		return nil, errGone
	case "forbidden":
		return nil, errForbidden
	}
	return addressed{to: network + " " + address}, nil
}

// offerTo runs a test with a plain broker and the other side's control stream,
// on a fake clock.
func offerTo(t *testing.T, cfg broker.Config, test func(t *testing.T, b *exchange.Plain, far *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := exchange.NewPlain(cfg, pretend, nil)
		near, far := newWire(1000)
		running(t, b, near)
		test(t, b, far)
		b.Close()
	})
}

func offer(t *testing.T, far *wire, id uint32, network, address string) {
	t.Helper()
	if err := far.Send(exchange.Info{ServiceID: id, Network: network, Address: address}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func expectAddress(t *testing.T, b *exchange.Plain, id uint32, want string) {
	t.Helper()
	conn, err := b.Dial(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := conn.(addressed); !ok || got.to != want {
		t.Errorf("dialled %q, want %q", got.to, want)
	}
}

func TestOfferCanBeDialledLateAndOften(t *testing.T) { // F14
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "/a")
		for range 3 {
			<-time.After(time.Hour) // on the bubble's clock
			expectAddress(t, b, 1, "unix /a")
		}
	})
}

func TestOfferReplacesAnEarlierOffer(t *testing.T) {
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "/a")
		offer(t, far, 1, "tcp", "localhost:1")
		expectAddress(t, b, 1, "tcp localhost:1")
	})
}

func TestOfferAboveTheLimitDropsTheOldest(t *testing.T) {
	offerTo(t, broker.Config{MaxOffers: 3}, func(t *testing.T, b *exchange.Plain, far *wire) {
		for id := range uint32(4) {
			offer(t, far, id, "unix", "/a")
			offer(t, far, 3, "unix", "/b")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Dial(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the oldest: %v", err)
		}
		expectAddress(t, b, 2, "unix /a")
		expectAddress(t, b, 3, "unix /b")
		if n := b.Entries(); n != 3 {
			t.Errorf("%d entries are kept", n)
		}
	})
}

func TestOfferWithoutItsListenerIsUnclaimed(t *testing.T) {
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "gone")
		if _, err := b.Dial(t.Context(), 1); !errors.Is(err, broker.ErrUnclaimed) || !errors.Is(err, errGone) {
			t.Errorf("got %v", err)
		}
		offer(t, far, 1, "unix", "/back")
		expectAddress(t, b, 1, "unix /back")
	})
}

// Listen has returned, so a dial may come before the offer does.
func TestOfferGoneStaleWaitsForTheNext(t *testing.T) {
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "gone")
		dials := []<-chan result{dialing(t.Context(), b, 1), dialing(t.Context(), b, 1)}
		synctest.Wait()
		offer(t, far, 1, "unix", "/next")
		for _, dial := range dials {
			if conn, ok := connection(t, "dial", dial).(addressed); !ok || conn.to != "unix /next" {
				t.Errorf("dialled %q", conn.to)
			}
		}
		if n := b.Entries(); n != 1 {
			t.Errorf("%d entries are kept", n)
		}
	})
}

func TestOfferGoneStaleDoesNotOutliveTheCaller(t *testing.T) {
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "gone")
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := b.Dial(ctx, 1)
		if !errors.Is(err, errGone) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestOfferWithAnotherDialErrorIsNotUnclaimed(t *testing.T) {
	offerTo(t, broker.Config{}, func(t *testing.T, b *exchange.Plain, far *wire) {
		offer(t, far, 1, "unix", "forbidden")
		began := time.Now()
		_, err := b.Dial(t.Context(), 1)
		if !errors.Is(err, errForbidden) || errors.Is(err, broker.ErrUnclaimed) || time.Since(began) > 0 {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

// A socket without a listener, and a missing socket.
func TestOfferOfAMissingListenerOnARealSystem(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			address := map[string]string{"unix": filepath.Join(t.TempDir(), "s"), "tcp": "127.0.0.1:0"}[network]
			l, err := new(net.ListenConfig).Listen(t.Context(), network, address)
			if err != nil {
				t.Fatal(err)
			}
			if unix, ok := l.(*net.UnixListener); ok {
				unix.SetUnlinkOnClose(false)
			}
			address = l.Addr().String()
			l.Close()
			b := exchange.NewPlain(broker.Config{}, dialNet, nil)
			defer b.Close()
			near, far := newWire(2)
			running(t, b, near)
			for _, info := range []exchange.Info{
				{ServiceID: 1, Network: network, Address: address},
				{ServiceID: 1, Network: "unix", Address: filepath.Join(t.TempDir(), "missing")},
			} {
				if err := far.Send(info); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Dial(within(t), 1); !errors.Is(err, broker.ErrUnclaimed) {
					t.Errorf("%s: %v", info.Address, err)
				}
			}
		})
	}
}

func TestOfferDuringAFailedDialIsDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := newWire(1)
		b := exchange.NewPlain(broker.Config{}, func(_ context.Context, network, address string) (net.Conn, error) {
			if address == "/old" {
				offer(t, far, 1, "unix", "/new")
				return nil, errGone
			}
			return pretend(t.Context(), network, address)
		}, nil)
		defer b.Close()
		running(t, b, near)
		offer(t, far, 1, "unix", "/old")
		expectAddress(t, b, 1, "unix /new")
	})
}

func TestOfferWithAnInvalidAddressIsAnError(t *testing.T) {
	for name, info := range map[string]exchange.Info{
		"network": {Network: "udp", Address: "localhost:1"},
		"empty":   {},
		"address": {Network: "unix"},
		"long":    {Network: "unix", Address: "/" + strings.Repeat("a", 4096)},
		"longer":  {Network: strings.Repeat("a", 1<<20), Address: "a"},
		"zero":    {Network: "unix", Address: "/\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			var log records
			offerTo(t, broker.Config{Logger: log.logger()}, func(t *testing.T, b *exchange.Plain, far *wire) {
				dial := dialing(t.Context(), b, 5)
				synctest.Wait()
				offer(t, far, 5, info.Network, info.Address)
				r := receive(t, "dial", dial)
				var wrong *exchange.OfferError
				if !errors.As(r.err, &wrong) || wrong.ID != 5 || len(r.err.Error()) > 5000 {
					t.Errorf("got %.300v", r.err)
				}
				if log.count("is invalid") != 1 {
					t.Error("no record")
				}
				offer(t, far, 5, "unix", "/good")
				expectAddress(t, b, 5, "unix /good")
			})
		})
	}
}

func TestKnockAtAPlainBrokerIsIgnored(t *testing.T) {
	var log records
	offerTo(t, broker.Config{Logger: log.logger()}, func(t *testing.T, b *exchange.Plain, far *wire) {
		if err := far.Send(exchange.Info{ServiceID: 1, Knock: &exchange.Knock{Knock: true}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if log.count("not multiplexed") != 1 || b.Entries() != 0 {
			t.Error("no record, or an offer")
		}
	})
}

func TestListenerIsOfferedOnce(t *testing.T) {
	noLeaks(t)
	b := newPlain(t, broker.Config{})
	near, far := newWire(10)
	first := running(t, b, near)
	l := listen(t, b, 1)
	if info := receive(t, "offer", far.in); info.Network != "unix" || info.Address != l.Addr().String() || info.Knock != nil {
		t.Errorf("offered %+v", info)
	}
	again, farther := newWire(10)
	ended := running(t, b, again)
	receive(t, "the takeover", first)
	listen(t, b, 2)
	if info := receive(t, "offer", farther.in); info.ServiceID != 2 {
		t.Errorf("the next control stream offers %d", info.ServiceID)
	}
	again.Interrupt()
	receive(t, "Run", ended)
	if len(far.in) != 0 || len(farther.in) != 0 {
		t.Error("offered again")
	}
}

func TestListenFailureFreesTheID(t *testing.T) {
	noLeaks(t)
	var fail error
	var network, address string
	b := exchange.NewPlain(broker.Config{}, dialNet, func(context.Context) (net.Listener, string, string, error) {
		if fail != nil {
			return nil, "", "", fail
		}
		l, err := net.Listen("tcp", "localhost:0")
		return l, network, address, err
	})
	defer b.Close()
	near, _ := newWire(10)
	running(t, b, near)
	fail = errGone
	if _, err := b.Listen(within(t), 1); !errors.Is(err, errGone) {
		t.Errorf("got %v", err)
	}
	fail, network, address = nil, "tcp", ""
	if _, err := b.Listen(within(t), 1); err == nil || !strings.Contains(err.Error(), "cannot be offered") {
		t.Errorf("got %v", err)
	}
	address = "localhost:1"
	listen(t, b, 1)
}

func TestCloseClosesPlainListeners(t *testing.T) {
	_, plugin := plainPair(t, broker.Config{})
	var all []net.Listener
	for id := range uint32(5) {
		all = append(all, listen(t, plugin, id))
	}
	plugin.Close()
	for _, l := range all {
		if conn, err := net.Dial("unix", l.Addr().String()); err == nil {
			conn.Close()
			t.Error(fmt.Sprint(l.Addr(), " is still there"))
		}
	}
}

// The plugin is the same, and forgets offers with its control stream.
func TestResumeKeepsOffersAndMakesThoseOfOpenListenersAgain(t *testing.T) {
	noLeaks(t)
	host, plugin := newPlain(t, broker.Config{}), newPlain(t, broker.Config{})
	connect := func(run func(context.Context, exchange.Stream) error) (cut func()) {
		near, far := newWire(0)
		ended := make(chan error, 2)
		go func() { ended <- run(t.Context(), near) }()
		go func() { ended <- plugin.Run(t.Context(), far) }()
		return func() {
			near.Interrupt()
			far.Interrupt()
			_ = receive(t, "the end of the control stream", ended)
			_ = receive(t, "the end of the control stream", ended)
		}
	}
	cut := connect(host.Run)
	for id, side := range map[uint32]*exchange.Plain{1: host, 2: plugin} {
		l := listen(t, side, id)
		defer l.Close()
		go greet(l, "hello")
	}
	closed := listen(t, host, 3)
	expectGreeting(t, plugin, 1, "hello")
	expectGreeting(t, host, 2, "hello")
	closed.Close()
	for range 2 {
		cut()
		cut = connect(host.Resume)
		expectGreeting(t, plugin, 1, "hello")
		expectGreeting(t, host, 2, "hello")
	}
	cut()
}
