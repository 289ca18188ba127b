package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/yamux"
)

// session is the host's side of a connection (protocol §5).
type session struct {
	transport *Transport
	link      core.HostLink
	mux       *yamux.Session                          // nil unless multiplexed
	openMain  func(context.Context) (net.Conn, error) // nil unless multiplexed
	main      *connection                             // the first; its end is the session's
	dialer    *dialer
	conn      *grpc.ClientConn
	exchange  exchange.Scheme
	broker    *Broker
	ctx       context.Context // of the streams that are always open
	cancel    context.CancelFunc
	running   sync.WaitGroup
	opened    chan struct{} // closed when the streams that are always open have been opened
	printed   chan struct{} // closed when the plugin's output has ended
	closing   sync.Once
	quitting  atomic.Bool // the plugin is being asked to leave: it may cut calls off
	leaving   atomic.Bool // the plugin was asked to leave: what it ends is not made again
}

// dial connects, and waits until the plugin has answered as gRPC does.
func dial(ctx context.Context, t *Transport, link core.HostLink) (*session, error) {
	if t.options.multiplex {
		if err := checkMultiplex(link.Plugin, link.Fields); err != nil {
			return nil, err
		}
	}
	s := &session{transport: t, link: link, printed: make(chan struct{}), opened: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.connect(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.running.Go(s.openStreams)
	return s, nil
}

// connect makes the parts of the session; after an error some are missing.
func (s *session) connect(ctx context.Context) (err error) {
	o := s.transport.options
	o.connecting = s.link.ConnectionTimeout
	s.broker = newBroker(o, s.link.TLS, s.link.Explain, nil)
	s.broker.closing = s.quitting.Load
	if err := s.dialMain(ctx); err != nil {
		return err
	}
	s.dialer = newDialer(s.redial)
	s.dialer.begin(s.main)
	explain := explainer{lost: s.isLost, closing: s.quitting.Load, reason: s.link.Explain}
	s.conn, err = newClient(o.clientOptions(s.link.TLS, explain, s.dialer.dial))
	if err != nil {
		return err
	}
	return s.probe(ctx)
}

// dialMain makes the first connection, and the broker that goes with it.
func (s *session) dialMain(ctx context.Context) error {
	raw, err := s.link.Dial(ctx)
	if err != nil {
		return err
	}
	brokerConfig := s.transport.options.broker
	if brokerConfig.Logger == nil {
		brokerConfig.Logger = s.link.Logger
	}
	if s.transport.options.multiplex {
		if s.mux, err = yamux.Client(raw, s.transport.options.yamux); err != nil {
			_ = raw.Close()
			return fmt.Errorf("start the multiplexed connection: %w", err)
		}
		multiplexed := exchange.NewMultiplexed(brokerConfig, broker.Yamux(s.mux))
		s.exchange = multiplexed
		s.openMain = multiplexed.OpenMain
		if raw, err = s.openMain(ctx); err != nil {
			return fmt.Errorf("open the main stream: %w", err)
		}
	} else {
		s.exchange = exchange.NewPlain(brokerConfig, s.link.DialAddress, s.listen)
	}
	if raw, err = forHTTP2(s.link.TLS).Connect(ctx, raw); err != nil {
		return fmt.Errorf("secure the connection to the plugin: %w", err)
	}
	s.broker.use(s.exchange)
	s.main = newConnection(raw)
	return nil
}

// redial makes another connection for calls, when the first one is lost, which is
// the session's end, or when the plugin's server wants new calls on a new one
// (HTTP/2's GOAWAY: servers may limit a connection's age). Then the first one goes
// on to carry the streams that are always open.
func (s *session) redial(ctx context.Context) (net.Conn, error) {
	if s.main.isLost() || s.leaving.Load() {
		return nil, core.ErrConnectionLost
	}
	dial := s.openMain
	if dial == nil {
		dial = s.link.Dial
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return forHTTP2(s.link.TLS).Connect(ctx, conn)
}

// isLost reports whether the connection that calls use is lost, or the first one
// is and the session with it.
func (s *session) isLost() bool { return s.main.isLost() || s.dialer.isLost() }

// probe waits until the plugin has answered as gRPC does.
func (s *session) probe(ctx context.Context) error {
	ok, err := ready(ctx, s.conn)
	if ok {
		return nil
	}
	if err == nil {
		err = s.Ping(ctx) // it fails, and says why
		if failure := s.main.failure.Load(); failure != nil {
			err = causedError{err, *failure}
		}
	}
	return fmt.Errorf("the plugin accepted the connection, but does not answer as a gRPC server does: %w", err)
}

// causedError is an error whose text has the text of its cause.
type causedError struct {
	error

	cause error
}

func (e causedError) Unwrap() []error { return []error{e.error, e.cause} }

func (s *session) listen(ctx context.Context) (listener net.Listener, network, address string, err error) {
	l, err := s.link.Listen(ctx)
	return l.Listener, l.AnnounceNetwork, l.AnnounceAddress, err
}

// openStreams opens the streams that a session has all the time: the plugin's
// output, and the broker's stream, at once and once: a plugin may wait for it in
// its first call, and a go-plugin plugin has no broker after its end. Receiving
// is for goroutines of their own, since opening makes a stack several times as
// large as receiving needs, and it stays so.
func (s *session) openStreams() {
	defer close(s.opened)
	output, err := pluginpb.NewGRPCStdioClient(s.conn).
		StreamStdio(s.ctx, &emptypb.Empty{}, grpc.MaxCallRecvMsgSize(maxOutput))
	if err != nil {
		s.outputEnded(err)
	} else {
		s.running.Go(func() { s.outputEnded(s.receiveOutput(output)) })
	}
	ctx, cancel := context.WithCancel(s.ctx)
	infos, err := pluginpb.NewGRPCBrokerClient(s.conn).StartStream(ctx, grpc.MaxCallRecvMsgSize(maxInfo))
	if err != nil {
		cancel()
		s.brokerEnded(err)
		return
	}
	s.running.Go(func() {
		defer cancel()
		s.brokerEnded(s.exchange.Run(s.ctx, hostInfoStream{infoStream{infos}, cancel}))
	})
}

// brokerEnded fails what is brokered from now on.
func (s *session) brokerEnded(err error) {
	s.broker.end(brokerEnd(err))
	_ = s.exchange.Close()
	if err != nil && s.ctx.Err() == nil {
		s.link.Logger.Debug("the plugin's broker has ended", "reason", err)
	}
}

// brokerEnd is why nothing can be brokered any more.
func brokerEnd(err error) error {
	if status.Code(err) == codes.Unimplemented {
		return ErrNoBroker
	}
	return core.ErrClosed
}

// ErrNoBroker is the error of brokered connections to a plugin that has no
// broker, as many in other languages.
var ErrNoBroker = errors.New("the plugin has no broker (the service plugin.GRPCBroker): it can neither lend nor borrow anything")

// Dispense makes a client. Nothing crosses the wire: gRPC's plugins are there
// from the start.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	plugin, err := s.transport.find(name)
	if err != nil {
		return nil, err
	}
	if s.main.isLost() {
		return nil, s.link.Explain(ctx, core.ErrConnectionLost)
	}
	made, err := plugin.client(s.broker, s.conn)
	if err != nil {
		return nil, fmt.Errorf("the client function of plugin %q: %w", name, err)
	}
	return made, nil
}

// Ping asks the plugin's health service. One that has none is as alive as one
// that has.
func (s *session) Ping(ctx context.Context) error {
	answer, err := grpc_health_v1.NewHealthClient(s.conn).
		Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: healthService})
	switch {
	case status.Code(err) == codes.Unimplemented, status.Code(err) == codes.NotFound:
		return nil
	case err != nil:
		return err
	case answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
		return fmt.Errorf("the plugin says that it is %s", answer.GetStatus())
	}
	return nil
}

// Quit asks the plugin to leave and waits for the end of its output.
func (s *session) Quit(ctx context.Context) error {
	s.quitting.Store(true)
	select {
	case <-s.opened: // a plugin that hears of the end first has nobody to send its output to
	case <-ctx.Done():
		return fmt.Errorf("open the stream of the plugin's output: %w", context.Cause(ctx))
	}
	_, err := pluginpb.NewGRPCControllerClient(s.conn).Shutdown(ctx, &pluginpb.Empty{})
	s.leaving.Store(true)
	switch {
	case err == nil:
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("the plugin has no service plugin.GRPCController: %w", core.ErrCannotQuit)
	case !s.main.isLost():
		return err
	} // otherwise the plugin's exit has overtaken its answer
	select {
	case <-s.printed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the plugin's output: %w", context.Cause(ctx))
	}
}

// Done is closed with the connection.
func (s *session) Done() <-chan struct{} { return s.main.lost }

// Close drops the connection.
func (s *session) Close() error {
	s.closing.Do(func() {
		s.cancel()
		s.broker.close()
		if s.conn != nil {
			_ = s.conn.Close()
		}
		if s.main != nil {
			_ = s.main.Close() // whether or not gRPC has asked for it
		}
		if s.exchange != nil {
			_ = s.exchange.Close()
		}
		if s.mux != nil {
			_ = s.mux.Close()
		}
		s.running.Wait()
	})
	return nil
}
