package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/broker/yamux"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// healthService is the name under which a plugin says that it is well.
const healthService = "plugin"

// server is the plugin's side.
type server struct {
	transport *Transport
	link      core.PluginLink
	asked     bool // the host wants to know whether we multiplex
	multiplex bool
	grpc      *grpcServer
	broker    *Broker
	plain     exchange.Broker // nil if multiplexed: then each host has one
	output    *output
	flight    *flight
	leaving   context.Context // ends when there is nothing left to do but to leave
	setOff    context.CancelFunc
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup // connections, pumps, the end
	ending    sync.Once

	mu    sync.Mutex
	ended bool // running gets no more
}

func newServer(t *Transport, link core.PluginLink) (*server, error) {
	s := &server{
		transport: t,
		link:      link,
		output:    newOutput(link.Stdout, link.Stderr),
		flight:    new(flight),
	}
	s.asked, s.multiplex = multiplexes(link.LookupEnv)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.leaving, s.setOff = context.WithCancel(s.ctx)
	s.broker = newBroker(t.options, link.TLS, nil, s.flight)
	if !s.multiplex {
		s.plain = exchange.NewPlain(s.brokerConfig(), link.DialAddress, s.listen)
		s.broker.use(s.plain)
	}
	s.grpc = newGRPCServer(append([]grpc.ServerOption{streamWorkers()}, t.options.serverOptions(link.TLS, s.flight)...)...)
	if err := s.register(); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// register puts the protocol's services and the application's on the server.
func (s *server) register() error {
	status := health.NewServer()
	status.SetServingStatus(healthService, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(s.grpc, status)
	pluginpb.RegisterGRPCBrokerServer(s.grpc, &brokerService{server: s})
	pluginpb.RegisterGRPCControllerServer(s.grpc, &controllerService{server: s})
	pluginpb.RegisterGRPCStdioServer(s.grpc, &stdioService{server: s})
	guard := &registrar{server: s.grpc.Server}
	if !s.transport.options.noReflection {
		registerReflection(guard)
	}
	return s.transport.register(s.broker, guard, s.link.Implements)
}

func (s *server) brokerConfig() exchange.Config {
	cfg := s.transport.options.broker
	cfg.Logger = s.link.Logger
	return cfg
}

func (s *server) listen(ctx context.Context) (listener net.Listener, network, address string, err error) {
	l, err := s.link.Listen(ctx)
	return l.Listener, l.AnnounceNetwork, l.AnnounceAddress, err
}

// Fields says that we can multiplex, to hosts that ask: old ones insist on six
// fields (protocol §2).
func (s *server) Fields() []string {
	if !s.asked {
		return nil
	}
	return []string{"true"}
}

// Serve answers hosts until one says quit. Several may connect, one after the
// other or at once.
func (s *server) Serve(listener net.Listener) error {
	s.output.start(s.ctx, &s.running)
	var err error
	if s.multiplex {
		err = s.serveMultiplexed(listener)
	} else {
		err = s.grpc.Serve(listener)
	}
	if s.ctx.Err() != nil || errors.Is(err, grpc.ErrServerStopped) {
		err = nil
	}
	s.end()
	_ = listener.Close()
	s.link.Quit(s.ctx) // the outputs end with it, if they have not
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// run runs f beside Serve, which waits for it, unless Serve is over.
func (s *server) run(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.running.Go(f)
	}
}

// serveMultiplexed accepts hosts, each with all its connections inside one.
func (s *server) serveMultiplexed(listener net.Listener) error {
	stop := context.AfterFunc(s.ctx, func() { _ = listener.Close() })
	defer stop()
	pause := acceptPause
	for {
		conn, err := listener.Accept()
		if isShortage(err) && s.pause(pause) {
			s.link.Logger.Warn("a host's connection waits until there is room for it", "error", err)
			pause = min(2*pause, maxAcceptPause)
			continue
		}
		if err != nil {
			return fmt.Errorf("accept a host's connection: %w", err)
		}
		pause = acceptPause
		s.running.Go(func() { s.serveHost(conn) })
	}
}

// serveHost serves what comes over one host's connection.
func (s *server) serveHost(conn net.Conn) {
	mux, err := yamux.Server(conn, s.transport.options.yamux)
	if err != nil {
		s.link.Logger.Debug("a connection cannot be multiplexed", "error", err)
		_ = conn.Close()
		return
	}
	defer func() { _ = mux.Close() }()
	ex := exchange.NewMultiplexed(s.brokerConfig(), exchange.Yamux(mux))
	defer func() { _ = ex.Close() }()
	silent := time.AfterFunc(s.transport.options.connecting, func() {
		s.link.Logger.Debug("a connection has not become a host's in time (WithConnectionTimeout)")
		_ = mux.Close()
	})
	defer silent.Stop()
	main := &hostListener{Listener: ex.Main(), host: ex, secured: s.link.TLS != nil, connected: silent.Stop}
	s.running.Go(func() { _ = s.grpc.Serve(main) })
	defer main.Close()
	select {
	case <-mux.Done():
	case <-s.ctx.Done():
	}
}

// hostListener accepts the main streams of one host, and lets a method find out
// which host it serves: the address of its peer says it.
type hostListener struct {
	net.Listener

	host      exchange.Broker
	secured   bool
	connected func() bool
}

type hostConn struct {
	net.Conn

	host      exchange.Broker
	connected func() bool // is called when it turns out to be a host's, maybe again
}

type hostAddr struct {
	net.Addr

	host exchange.Broker
}

func (l *hostListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !l.secured { // otherwise TLS tells
		l.connected()
	}
	return hostConn{Conn: conn, host: l.host, connected: l.connected}, nil
}

func (c hostConn) RemoteAddr() net.Addr { return hostAddr{Addr: c.Conn.RemoteAddr(), host: c.host} }

// exchangeOf returns what makes connections with the host that called.
func (s *server) exchangeOf(ctx context.Context) exchange.Broker {
	if !s.multiplex {
		return s.plain
	}
	if caller, ok := peer.FromContext(ctx); ok {
		if addr, ok := caller.Addr.(hostAddr); ok {
			return addr.host
		}
	}
	return nil // a brokered connection: its server has not this service
}

// How long accepting pauses when the process has no file left for a connection.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// isShortage reports whether accepting failed for want of something that other
// connections will free.
func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

// pause waits; false means that the server has ended.
func (s *server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// Shutdown does without being asked what the controller's Shutdown does.
func (s *server) Shutdown(ctx context.Context) error {
	err := s.leave(ctx)
	s.endGracefully(ctx)
	return err
}

// Close ends Serve at once.
func (s *server) Close() error {
	s.end()
	return nil
}

// leave finishes what is under way: calls, then shutdown hooks, then output.
func (s *server) leave(ctx context.Context) error {
	flightErr := s.finishCalls(ctx)
	s.link.Quit(ctx)
	return errors.Join(flightErr, s.output.finish(ctx))
}

// finishCalls waits for the calls in flight, up to half of the time that is left
// until ctx ends. Those that take longer are cut off.
func (s *server) finishCalls(ctx context.Context) error {
	share := s.link.ShutdownTimeout / 2
	if deadline, ok := ctx.Deadline(); ok {
		share = time.Until(deadline) / 2
	}
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	return s.flight.finish(ctx)
}

// endGracefully ends the server when what is on its way has been sent, or with
// ctx.
func (s *server) endGracefully(ctx context.Context) {
	s.setOff()
	s.broker.close()
	s.grpc.Leave(ctx)
	s.end()
}

// end stops everything. Serve returns then.
func (s *server) end() {
	s.ending.Do(func() {
		s.cancel()
		s.broker.close()
		if s.plain != nil {
			_ = s.plain.Close()
		}
		s.grpc.Stop()
	})
}
