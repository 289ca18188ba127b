package transportgrpc_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
	"github.com/jackfield-go/jackfield/yamux"
)

// breaker keeps the connections of a host, to cut them.
type breaker struct {
	mu    sync.Mutex
	conns []net.Conn
	fails error // of further dials
}

// keep changes a link.
func (b *breaker) keep(link *core.HostLink) {
	dial := link.Dial
	link.Dial = func(ctx context.Context) (net.Conn, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.fails != nil {
			return nil, b.fails
		}
		conn, err := dial(ctx)
		if err == nil {
			b.conns = append(b.conns, conn)
		}
		return conn, err
	}
}

// cut cuts the connections; further dials fail with fails, unless it is nil.
func (b *breaker) cut(fails error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = fails
	for _, conn := range b.conns {
		conn.Close()
	}
	b.conns = nil
}

// connectionEnds is a stats handler reporting ended connections.
type connectionEnds struct {
	connectionCounter

	ended chan struct{}
}

func (c connectionEnds) HandleConn(ctx context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnEnd); ok {
		c.ended <- struct{}{}
	}
	c.connectionCounter.HandleConn(ctx, s)
}

func newConnectionEnds() connectionEnds {
	return connectionEnds{connectionCounter{make(chan struct{}, 100)}, make(chan struct{}, 100)}
}

// bare is fakePlugin in a mode.
func (m mode) bare(t *testing.T, register func(*grpc.Server), opts ...grpc.ServerOption) (address string) {
	t.Helper()
	listener, err := newSockets(t).listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.secure {
		opts = append(opts, grpc.Creds(credentials.NewTLS(security().Server)))
	}
	server := grpc.NewServer(opts...)
	register(server)
	served := async(func() error {
		if m.multiplexed {
			return serveMux(listener, server)
		}
		return server.Serve(listener)
	})
	t.Cleanup(func() {
		listener.Close()
		server.Stop()
		_ = receive(t, "the fake plugin", served)
	})
	return listener.AnnounceAddress
}

// serveMux serves the main streams of connecting hosts.
func serveMux(listener net.Listener, server *grpc.Server) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		mux, err := yamux.Server(conn, yamux.Config{})
		if err != nil {
			return err
		}
		ex := exchange.NewMultiplexed(broker.Config{}, broker.Yamux(mux))
		go func() { <-mux.Done(); ex.Close() }()
		go func() { _ = server.Serve(ex.Main()); mux.Close() }()
	}
}

func TestIdleConnectionsClosedByThePluginAreMadeAgain(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		plugintest.NoLeaks(t)
		address := m.bare(t, func(s *grpc.Server) {
			probepb.RegisterProbeServiceServer(s, &probeServer{impl: testProbe{}})
		}, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 20 * time.Millisecond}))
		ends := newConnectionEnds()
		h, err := m.dial(t, newSockets(t), address, nil, transportgrpc.WithDialOptions(grpc.WithStatsHandler(ends)))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			h.echoes(t)
			receive(t, "the end of the idle connection", ends.ended)
		}
		if err := h.Ping(within(t)); err != nil {
			t.Errorf("Ping: %v", err)
		}
		receive(t, "the end of the idle connection", ends.ended)
		if _, err := h.Dispense(within(t), "it"); err != nil {
			t.Errorf("Dispense: %v", err)
		}
		select {
		case <-h.Done():
			t.Error("Done is closed, and the plugin lives")
		default:
		}
		if err := h.Quit(within(t)); !errors.Is(err, core.ErrCannotQuit) {
			t.Errorf("Quit: %v, want core.ErrCannotQuit of a plugin without a controller", err)
		}
	})
}

func TestLostConnectionsAreMadeAgainWhileThePluginLives(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		entered := make(chan struct{}, 10)
		r := rigUp(t, setup{mode: m, register: func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			probepb.RegisterProbeServiceServer(r, &holding{probeServer{impl: testProbe{}, broker: b}, entered})
			return nil
		}})
		var wire breaker
		h := r.connectWith(t, wire.keep)
		for range 3 {
			usesEverything(t, r, h)
			call := async(func() error { _, err := h.probe.Block(within(t), &probepb.BlockRequest{}); return err })
			receive(t, "the call", entered)
			wire.cut(nil)
			if err := receive(t, "the call", call); !errors.Is(err, core.ErrConnectionLost) || status.Code(err) != codes.Unavailable {
				t.Errorf("the call in flight: %v, want core.ErrConnectionLost", err)
			}
			h.echoes(t)
			h.stdout.reset()
			h.stderr.reset()
		}
		usesEverything(t, r, h)
		select {
		case <-h.Done():
			t.Error("Done is closed, and the plugin lives")
		default:
		}
		promptly(t, "Quit", func() error { return h.Quit(within(t)) })
		receive(t, "the end of the session", h.Done())
	})
}

// A server's limit of age, with a grace for the calls in flight, cuts the permanent
// streams as well.
func TestConnectionAgeLimitKeepsThePluginUsable(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		age := grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: 50 * time.Millisecond, MaxConnectionAgeGrace: 50 * time.Millisecond,
		})
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{transportgrpc.WithServerOptions(age)}})
		ends := newConnectionEnds()
		h := r.connect(t, transportgrpc.WithDialOptions(grpc.WithStatsHandler(ends)))
		for range 2 {
			receive(t, "the end of a connection", ends.ended)
			outlasts(t, "Echo", func() error { _, err := h.probe.Echo(within(t), &probepb.EchoRequest{}); return err })
			outlasts(t, "the host's broker", func() error {
				ctx, cancel := context.WithCancel(within(t))
				defer cancel()
				id, err := lendNumbered(ctx, h.broker)
				if err != nil {
					return err
				}
				_, err = askNumber(ctx, r.broker, id)
				return err
			})
			if _, err := r.stdout.Write([]byte("out\n")); err != nil {
				t.Fatal(err)
			}
		}
		h.stdout.wait(t, strings.Repeat("out\n", 2))
		promptly(t, "Quit", func() error { return h.Quit(within(t)) })
	})
}

// outlasts expects f to work in the end, and to fail with its connection alone.
func outlasts(t *testing.T, what string, f func() error) {
	t.Helper()
	ctx := within(t)
	for ctx.Err() == nil {
		err := f()
		if err == nil {
			return
		}
		if !errors.Is(err, core.ErrConnectionLost) && status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v, want core.ErrConnectionLost", what, err)
			return
		}
	}
	t.Errorf("%s did not work any more", what)
}

// Loans on plain connections are offered again: the plugin has forgotten them.
func TestServicesThatTheHostServesOutliveALostConnection(t *testing.T) {
	inEach(t, []mode{{}, {secure: true}}, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		var wire breaker
		h := r.connectWith(t, wire.keep)
		for _, s := range sides(r, h) {
			id, err := lendNumbered(context.WithoutCancel(t.Context()), s.near)
			if err != nil {
				t.Fatal(err)
			}
			expectAnswer(t, s.other, id)
			wire.cut(nil)
			h.noticesTheLoss(t)
			h.echoes(t)
			expectAnswer(t, s.other, id)
		}
	})
}

// The process lives and nothing can be asked of it: its host is not kept waiting.
func TestSessionEndsIfItsConnectionCannotBeMadeAgain(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		var wire breaker
		h := r.connectWith(t, wire.keep)
		h.echoes(t)
		wire.cut(errExpected)
		receive(t, "the end of the session", h.Done())
		start := time.Now()
		if err := h.Quit(within(t)); !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("Quit: %v, want core.ErrConnectionLost", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Quit took %v", took)
		}
		if _, err := h.probe.Echo(within(t), &probepb.EchoRequest{}); !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("Echo: %v, want core.ErrConnectionLost", err)
		}
		if _, err := h.Dispense(within(t), "it"); !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("Dispense: %v, want core.ErrConnectionLost", err)
		}
		if _, err := lendNumbered(within(t), h.broker); !errors.Is(err, core.ErrClosed) {
			t.Errorf("Lend: %v, want core.ErrClosed", err)
		}
		if n := strings.Count(h.log.String(), "cannot be made again"); n != 1 {
			t.Errorf("%d records: %s", n, h.log)
		}
	})
}

func TestSessionEndsWithItsProcess(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		var wire breaker
		exited := make(chan struct{})
		h := r.connectWith(t, func(link *core.HostLink) {
			link.Exited = exited
			wire.keep(link)
		})
		h.echoes(t)
		close(exited)
		h.echoes(t) // the last data of the process is read
		wire.cut(nil)
		receive(t, "the end of the session", h.Done())
	})
}

// openedBroker is a plugin's broker reporting its stream.
type openedBroker struct {
	broken

	opened chan struct{}
}

func (b openedBroker) StartStream(stream grpc.BidiStreamingServer[pluginpb.ConnInfo, pluginpb.ConnInfo]) error {
	b.opened <- struct{}{}
	return b.broken.StartStream(stream)
}

// A go-plugin plugin's broker ends with its stream, and nothing else does.
func TestBrokerOfOneStreamEndsAlone(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		plugintest.NoLeaks(t)
		opened := make(chan struct{}, 10)
		address := m.bare(t, func(s *grpc.Server) {
			probepb.RegisterProbeServiceServer(s, &probeServer{impl: testProbe{}})
			pluginpb.RegisterGRPCBrokerServer(s, openedBroker{opened: opened})
		})
		var wire breaker
		h, err := m.dial(t, newSockets(t), address, wire.keep)
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "the broker's stream", opened)
		wire.cut(nil)
		h.noticesTheLoss(t)
		h.echoes(t)
		if _, err := h.broker.Dial(within(t), 1); !errors.Is(err, core.ErrClosed) {
			t.Errorf("Dial: %v, want core.ErrClosed", err)
		}
	})
}

// The other library's servers do not bound their errors, and the client drops the
// connection.
func TestErrorThatBreaksTheConnectionFailsItsCallAlone(t *testing.T) {
	inEach(t, []mode{{}}, func(t *testing.T, m mode) { // 17 MB of headers take seconds
		plugintest.NoLeaks(t)
		address := m.bare(t, func(s *grpc.Server) { probepb.RegisterProbeServiceServer(s, huge{}) })
		h, err := m.dial(t, newSockets(t), address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.probe.Echo(t.Context(), &probepb.EchoRequest{}); err == nil {
			t.Error("the call failed without an error")
		}
		h.echoes(t)
	})
}
