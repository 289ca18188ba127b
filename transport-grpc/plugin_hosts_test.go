package transportgrpc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// usesEverything expects every service for a host.
func usesEverything(t *testing.T, r *rig, h *testHost) {
	t.Helper()
	h.echoes(t)
	if err := h.Ping(within(t)); err != nil {
		t.Errorf("Ping: %v", err)
	}
	usesBroker(t, h)
	if _, err := r.stdout.Write([]byte("out\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.stderr.Write([]byte("err\n")); err != nil {
		t.Fatal(err)
	}
	h.stdout.wait(t, "out\n")
	h.stderr.wait(t, "err\n")
}

// usesBroker lends and borrows in calls: an ID has a meaning only with the host it came from.
func usesBroker(t *testing.T, h *testHost) {
	t.Helper()
	offered, err := h.probe.Offer(within(t), &probepb.OfferRequest{Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := askEach(within(t), h.broker, offered.GetIds())
	expectNumbers(t, "the plugin's", offered.GetIds(), answers, err)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	id, err := lendNumbered(ctx, h.broker)
	if err != nil {
		t.Fatal(err)
	}
	reached, err := h.probe.Reach(within(t), &probepb.ReachRequest{Ids: []uint32{id}})
	expectNumbers(t, "the host's", []uint32{id}, reached.GetAnswers(), err)
}

func TestNextHostIsServedLikeTheFirst(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		for range 3 {
			h := r.connect(t)
			usesEverything(t, r, h)
			promptly(t, "Close", h.Close) // without a word to the plugin: it is to live on
			receive(t, "the end of the session", h.Done())
			if _, err := h.broker.Client(within(t), 1); !errors.Is(err, core.ErrClosed) {
				t.Errorf("the broker of a host that has left: %v, want core.ErrClosed", err)
			}
		}
		last := r.connect(t)
		usesEverything(t, r, last)
		promptly(t, "Quit", func() error { return last.Quit(within(t)) })
	})
}

// A lent service is for the calling host, and not for the last one. A host that connects
// again calls before its broker's stream has begun.
func TestEachMultiplexedHostGetsItsOwnLoans(t *testing.T) {
	inEach(t, []mode{{multiplexed: true}, {multiplexed: true, secure: true}}, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		hosts := []*testHost{r.connect(t), r.connect(t), r.connect(t)}
		for range 2 {
			for _, h := range hosts {
				usesBroker(t, h)
			}
		}
	})
}

// Of two hosts at once the plugin's prints are the later one's.
func TestSecondHostIsServedBesideTheFirst(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		first := r.connect(t)
		usesEverything(t, r, first)
		second := r.connect(t)
		second.echoes(t)
		first.echoes(t)
		promptly(t, "the first one's Close", first.Close)
		usesEverything(t, r, second)
	})
}

// Without notice of a host's end, the broker would offer to nobody.
func TestLendWaitsForAHost(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		type lent struct {
			id  uint32
			err error
		}
		early := make(chan lent, 1)
		go func() {
			id, err := lendNumbered(t.Context(), r.broker)
			early <- lent{id, err}
		}()
		h := r.connect(t)
		got := receive(t, "what was lent", early)
		if got.err != nil {
			t.Fatal(got.err)
		}
		expectAnswer(t, h.broker, got.id)
	})
}

// A peer at a plugin's socket need not be a host.
func TestPluginOutlivesWhateverConnects(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		stays := r.connect(t)
		for range 20 {
			r.raw(t).Close() // go-plugin's check on a reattach
		}
		r.raw(t) // silent
		for name, text := range nonsense {
			conn := r.raw(t)
			if _, err := conn.Write([]byte(text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		usesEverything(t, r, stays)
		late := r.connect(t)
		late.echoes(t)
	})
}

// nonsense is neither gRPC nor yamux.
var nonsense = map[string]string{
	"yamux":            "\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00",
	"HTTP/1.1":         "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"TLS":              "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
	"yamux's cousin":   "\x01\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00",
	"a frame of 4 GiB": "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff",
	"HTTP/2, then garbage": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	"garbage": "\x9e\x02\x85\x11\x00\x00\x00\x7f\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7",
}

// A server with a limit on connections' age asks for new ones. go-plugin's hosts
// make them; another host would be cut off from a healthy plugin.
func TestCallsGoOnWhenAPluginAsksForANewConnection(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		age := grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 20 * time.Millisecond})
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{transportgrpc.WithServerOptions(age)}})
		dials := make(chan struct{}, 100)
		connections := transportgrpc.WithDialOptions(grpc.WithStatsHandler(connectionCounter{dials}))
		h := r.connect(t, connections)
		for len(dials) < 3 {
			h.echoes(t)
			if t.Failed() {
				return
			}
		}
		usesEverything(t, r, h)
		promptly(t, "Quit", func() error { return h.Quit(within(t)) })
	})
}

// connectionCounter counts connections.
type connectionCounter struct{ made chan struct{} }

func (c connectionCounter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return ctx
}
func (c connectionCounter) HandleRPC(context.Context, stats.RPCStats) {}
func (c connectionCounter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}
func (c connectionCounter) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnBegin); ok {
		select {
		case c.made <- struct{}{}:
		default:
		}
	}
}
