package transportgrpc

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/yamux"
)

// session is the host's side of the connections to a plugin (protocol §5). There is one
// connection at a time, unless the plugin asks for a new connection during calls. A
// lost connection is made again on demand, as long as the plugin's process lives.
type session struct {
	transport *Transport
	link      core.HostLink
	dialer    *dialer
	conn      *grpc.ClientConn
	broker    *Broker
	output    *sinks
	offered   []registered    // the host's services
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	running   sync.WaitGroup
	opened    chan struct{}   // closed when the permanent streams have been opened first
	streams   context.Context // of the permanent streams: ends with the session
	end       context.CancelFunc
	printed   chan struct{} // closed when the plugin's output has ended
	closing   sync.Once
	quitting  atomic.Bool     // the plugin is being asked to leave: it may cut calls off
	asked     atomic.Bool     // it has been asked: permanent streams are not opened again
	resumes   atomic.Bool     // the plugin has announced a lasting broker
	answered  context.Context // ends when it has answered: no connection is made again
	answer    context.CancelFunc
	reopening chan struct{} // a token for opening the stream of output again

	mu       sync.Mutex
	mux      *yamux.Session  // nil unless multiplexed
	exchange exchange.Scheme // of mux, if multiplexed
}

// dial connects, and waits until the plugin has answered as gRPC does.
func dial(ctx context.Context, t *Transport, link core.HostLink) (*session, error) {
	if t.options.multiplex {
		if err := checkMultiplex(link.Plugin, link.Fields); err != nil {
			return nil, err
		}
	}
	s := &session{
		transport: t,
		link:      link,
		output:    newSinks(link),
		opened:    make(chan struct{}),
		printed:   make(chan struct{}),
		reopening: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.streams, s.end = context.WithCancel(s.ctx)
	s.answered, s.answer = context.WithCancel(s.ctx)
	if err := s.connect(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	s.running.Go(s.watch)
	s.running.Go(s.openStreams)
	return s, nil
}

// connect makes the parts of the session; after an error some are missing.
func (s *session) connect(ctx context.Context) error {
	o := s.transport.options
	o.connecting, o.logger = s.link.ConnectionTimeout, s.link.Logger
	s.broker = newBroker(o, s.link.TLS, s.link.Explain, nil)
	s.broker.closing = s.quitting.Load
	if err := s.collectHostServices(); err != nil {
		return err
	}
	if !o.multiplex {
		s.exchange = exchange.NewPlain(s.brokerConfig(), s.link.DialAddress, s.listen)
		if err := s.use(s.exchange); err != nil {
			return err
		}
	}
	raw, err := s.wire(ctx)
	if err != nil {
		return err
	}
	s.dialer = newDialer(s.redial)
	s.dialer.limit = redialAttempts
	first := s.dialer.begin(raw)
	explain := explainer{
		lost: s.dialer.lost, closing: s.quitting.Load, reason: s.link.Explain, version: s.link.Version,
	}
	s.conn, err = newClient(o.clientOptions(s.link.TLS, explain, s.dialer.dial))
	if err != nil {
		return err
	}
	return s.probe(ctx, first)
}

// probe waits until the plugin has answered as gRPC does.
func (s *session) probe(ctx context.Context, first *connection) error {
	ok, err := ready(ctx, s.conn)
	if ok {
		return nil
	}
	if err == nil {
		err = s.Ping(ctx) // it fails with the reason
		if failure := first.failure.Load(); failure != nil {
			err = causedError{err, *failure}
		}
	}
	return fmt.Errorf("the plugin accepted the connection, but does not answer as a gRPC server does: %w", err)
}

// causedError is an error with the text of its cause in its text.
type causedError struct {
	error

	cause error
}

func (e causedError) Unwrap() []error { return []error{e.error, e.cause} }

// Dispense makes a client. Nothing crosses the wire: gRPC's plugins are there
// from the start.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	plugin, err := s.transport.find(name)
	if err != nil {
		return nil, err
	}
	if err := s.connected(ctx); err != nil {
		return nil, s.link.Explain(ctx, err)
	}
	made, err := plugin.client(s.broker, s.conn)
	if err != nil {
		return nil, fmt.Errorf("the client function of plugin %q: %w", name, err)
	}
	return made, nil
}

// Ping asks the plugin's health service. A plugin without the service counts as alive.
func (s *session) Ping(ctx context.Context) error {
	answer, err := grpc_health_v1.NewHealthClient(s.conn).
		Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: healthService})
	switch {
	case status.Code(err) == codes.Unimplemented, status.Code(err) == codes.NotFound:
		return nil
	case err != nil:
		return err
	case answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
		return fmt.Errorf("the plugin's health service answers %s", answer.GetStatus())
	}
	return nil
}

// Quit asks the plugin to leave and waits for the end of its output.
func (s *session) Quit(ctx context.Context) error {
	s.quitting.Store(true)
	if err := s.connected(ctx); err != nil {
		return fmt.Errorf("the plugin cannot be asked to leave: %w", err)
	}
	if err := s.outputOpened(ctx); err != nil {
		return err
	}
	s.asked.Store(true)
	on := new(peer.Peer)
	_, err := pluginpb.NewGRPCControllerClient(s.conn).Shutdown(ctx, &pluginpb.Empty{}, grpc.Peer(on))
	s.answer() // it ends the broker's stream: a server may wait for that
	switch {
	case err == nil:
	case status.Code(err) == codes.Unimplemented:
		return fmt.Errorf("the plugin has no service plugin.GRPCController: %w", core.ErrCannotQuit)
	case on.Addr == nil || !s.dialer.lost(on):
		return err
	} // otherwise the plugin's exit has overtaken its answer
	select {
	case <-s.printed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the plugin's output: %w", context.Cause(ctx))
	}
}

// outputOpened waits for the stream of output: without the stream, a leaving plugin
// cannot send its output.
func (s *session) outputOpened(ctx context.Context) error {
	select {
	case <-s.opened:
	case <-ctx.Done():
		return fmt.Errorf("open the stream of the plugin's output: %w", context.Cause(ctx))
	}
	select {
	case s.reopening <- struct{}{}:
		<-s.reopening
		return nil
	case <-ctx.Done():
		return fmt.Errorf("open the stream of the plugin's output again: %w", context.Cause(ctx))
	}
}

// Done is closed with the session, or when its connections are lost and no other is
// made: the process has ended, has agreed to leave, or cannot be reached.
func (s *session) Done() <-chan struct{} { return s.streams.Done() }

// Close drops the connections.
func (s *session) Close() error {
	s.closing.Do(func() {
		s.cancel()
		s.broker.close()
		if s.conn != nil {
			_ = s.conn.Close()
		}
		if s.dialer != nil {
			s.dialer.close() // whether or not gRPC has asked for them
		}
		s.closeExchange()
		s.running.Wait()
	})
	return nil
}
