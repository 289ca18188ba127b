package transportgrpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/yamux"
)

// server is the plugin's side.
type server struct {
	transport *Transport
	link      core.PluginLink
	asked     bool // the host asks for the field of multiplexing
	multiplex bool
	grpc      *grpcServer
	broker    *Broker
	plain     exchange.Scheme // nil if multiplexed: then each host has one
	output    *output
	leaving   context.Context // ends at the beginning of Close
	setOff    context.CancelFunc
	ctx       context.Context
	cancel    context.CancelFunc
	intake    *intake        // of the connections of hosts, unless multiplexed
	running   sync.WaitGroup // gRPC's server and the pumps
}

func newServer(t *Transport, link core.PluginLink) (*server, error) {
	s := &server{
		transport: t,
		link:      link,
		output:    newOutput(link.Stdout, link.Stderr),
		intake:    newIntake(),
	}
	s.asked, s.multiplex = multiplexes(link.LookupEnv)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.leaving, s.setOff = context.WithCancel(s.ctx)
	options := t.options
	options.connecting, options.logger = link.ConnectionTimeout, link.Logger
	s.broker = newBroker(options, link.TLS, nil, link.Calls)
	s.broker.asked = asksForLending(link.LookupEnv)
	if !s.multiplex {
		s.plain = exchange.NewPlain(s.brokerConfig(), link.DialAddress, s.listen)
		s.broker.use(s.plain)
	}
	served := options.serverOptions(link.TLS, link.Calls, permanentStreams)
	s.grpc = newGRPCServer(append([]grpc.ServerOption{streamWorkers()}, served...)...)
	if err := s.register(); err != nil {
		s.end()
		return nil, err
	}
	s.output.start(s.ctx, &s.running)
	s.running.Go(func() { _ = s.grpc.Serve(s.intake) })
	return s, nil
}

func (s *server) brokerConfig() broker.Config {
	cfg := s.transport.options.broker
	if cfg.Logger == nil {
		cfg.Logger = s.link.Logger
	}
	return cfg
}

func (s *server) listen(ctx context.Context) (listener net.Listener, network, address string, err error) {
	l, err := s.link.Listen(ctx)
	return l.Listener, l.AnnounceNetwork, l.AnnounceAddress, err
}

// Fields announces multiplexing and lending, to asking hosts alone: old hosts insist on six
// fields (protocol §2).
func (s *server) Fields() []string {
	var fields []string
	if s.asked {
		fields = []string{"true"}
	}
	if s.broker.asked {
		if !s.asked {
			fields = []string{""} // the seventh is multiplexing's
		}
		fields = append(fields, fieldLending+"="+lendingVersion)
	}
	return fields
}

// Serve serves one host's connection. Several hosts may be connected, one after the
// other or at once.
func (s *server) Serve(conn net.Conn) error {
	if s.multiplex {
		return s.serveMultiplexed(conn)
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.link.ConnectionTimeout)
	secured, err := forHTTP2(s.link.TLS).Accept(ctx, conn)
	cancel()
	if err != nil {
		return fmt.Errorf("secure a host's connection: %w", err)
	}
	s.intake.serve(secured)
	return nil
}

// serveMultiplexed serves a host with all its connections inside one.
func (s *server) serveMultiplexed(conn net.Conn) error {
	mux, err := yamux.Server(conn, s.transport.options.yamux)
	if err != nil {
		_ = conn.Close()
		return fmt.Errorf("multiplex the connection: %w", err)
	}
	defer func() { _ = mux.Close() }()
	ex := exchange.NewMultiplexed(s.brokerConfig(), broker.Yamux(mux))
	defer func() { _ = ex.Close() }()
	silent := time.AfterFunc(s.link.ConnectionTimeout, func() {
		s.link.Logger.Debug("a connection was closed: the peer did not identify itself as a host in time (Config.ConnectionTimeout)")
		_ = mux.Close()
	})
	defer silent.Stop()
	defer s.broker.drop(ex)
	main := &hostListener{
		Listener: secureListener(ex.Main(), forHTTP2(s.link.TLS), s.link.ConnectionTimeout, s.link.Logger),
		caller:   caller{host: ex, broker: s.broker},
		connected: sync.OnceFunc(func() {
			silent.Stop()
			s.broker.use(ex) // from the first call on, which may precede the broker's stream
		}),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.grpc.Serve(main)
	}()
	select {
	case <-mux.Done():
	case <-s.ctx.Done():
	}
	_ = main.Close()
	<-served
	return nil
}

// hostListener accepts the main streams of one host. The address of its connections
// identifies the host for methods.
type hostListener struct {
	net.Listener

	caller    caller
	connected func()
}

type hostConn struct {
	net.Conn

	caller caller
}

type hostAddr struct {
	net.Addr

	caller caller
}

// caller is a host of a multiplexed plugin, as seen by the plugin's methods.
type caller struct {
	host   exchange.Scheme
	broker *Broker // the plugin's: a method may also use the broker of a plugin of its own
}

func (l *hostListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.connected()
	return hostConn{Conn: conn, caller: l.caller}, nil
}

func (c hostConn) RemoteAddr() net.Addr { return hostAddr{Addr: c.Conn.RemoteAddr(), caller: c.caller} }

func (c hostConn) tlsState() (tls.ConnectionState, bool) { return tlsStateOf(c.Conn) }

// exchangeOf returns the scheme for connections with the calling host.
func (s *server) exchangeOf(ctx context.Context) exchange.Scheme {
	if !s.multiplex {
		return s.plain
	}
	return callerOf(ctx).host // nil for a brokered connection: its server lacks this service
}

// callerOf returns the calling host of a method; the zero value elsewhere.
func callerOf(ctx context.Context) caller {
	if from, ok := peer.FromContext(ctx); ok {
		if addr, ok := from.Addr.(hostAddr); ok {
			return addr.caller
		}
	}
	return caller{}
}

// Flush waits until the hosts have received all output.
func (s *server) Flush(ctx context.Context) error { return s.output.finish(ctx) }

// Close ends the server after pending answers have been sent, or with ctx.
func (s *server) Close(ctx context.Context) {
	s.setOff()
	s.broker.close()
	s.grpc.Leave(ctx)
	s.end()
	s.running.Wait()
}

// end stops everything.
func (s *server) end() {
	s.cancel()
	s.broker.close()
	if s.plain != nil {
		_ = s.plain.Close()
	}
	s.grpc.Stop()
}
