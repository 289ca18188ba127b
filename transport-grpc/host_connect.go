package transportgrpc

import (
	"context"
	"fmt"
	"net"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/yamux"
)

// redialAttempts is the number of failed dials in a row before a session gives up a
// plugin with a living process.
const redialAttempts = 5

// wire makes a connection for gRPC: to the plugin's socket, or a stream of the
// multiplexed connection.
func (s *session) wire(ctx context.Context) (net.Conn, error) {
	raw, err := s.raw(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := forHTTP2(s.link.TLS).Connect(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("secure the connection to the plugin: %w", err)
	}
	return conn, nil
}

func (s *session) raw(ctx context.Context) (net.Conn, error) {
	if !s.transport.options.multiplex {
		return s.link.Dial(ctx)
	}
	multiplexed, err := s.multiplexed(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := multiplexed.OpenMain(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the main stream: %w", err)
	}
	return conn, nil
}

// multiplexed returns the exchange on the multiplexed connection, and makes a new
// connection after a loss. Brokered connections are lost with the old connection.
func (s *session) multiplexed(ctx context.Context) (*exchange.Multiplexed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ex, ok := s.exchange.(*exchange.Multiplexed); ok {
		select {
		case <-s.mux.Done():
			_ = ex.Close()
			s.broker.drop(ex)
		default:
			return ex, nil
		}
	}
	if s.ctx.Err() != nil {
		return nil, core.ErrClosed
	}
	raw, err := s.link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	mux, err := yamux.Client(raw, s.transport.options.yamux)
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("start the multiplexed connection: %w", err)
	}
	if s.mux != nil {
		_ = s.mux.Close()
	}
	ex := exchange.NewMultiplexed(s.brokerConfig(), broker.Yamux(mux))
	s.mux, s.exchange = mux, ex
	if err := s.use(ex); err != nil {
		return nil, err
	}
	return ex, nil
}

// use begins the use of a scheme. Its other side is known from the handshake line.
func (s *session) use(ex exchange.Scheme) error {
	lends := announcesLending(s.link.Fields)
	s.broker.use(ex)
	s.broker.meet(ex, abilities{lends: lends})
	return s.offer(ex, lends)
}

// scheme returns the present scheme of brokered connections.
func (s *session) scheme() exchange.Scheme {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exchange
}

// closeExchange ends brokered connections and the multiplexed connection.
func (s *session) closeExchange() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exchange != nil {
		_ = s.exchange.Close()
	}
	if s.mux != nil {
		_ = s.mux.Close()
	}
}

func (s *session) brokerConfig() broker.Config {
	cfg := s.transport.options.broker
	if cfg.Logger == nil {
		cfg.Logger = s.link.Logger
	}
	return cfg
}

func (s *session) listen(ctx context.Context) (listener net.Listener, network, address string, err error) {
	l, err := s.link.Listen(ctx)
	return l.Listener, l.AnnounceNetwork, l.AnnounceAddress, err
}

// redial makes another connection for gRPC. Either the last connection is lost, or the
// plugin's server wants new calls on a new connection (HTTP/2's GOAWAY: servers may
// limit a connection's age); then the last connection keeps its open streams.
func (s *session) redial(ctx context.Context) (net.Conn, error) {
	select {
	case <-s.answered.Done():
		return nil, core.ErrConnectionLost
	case <-s.streams.Done():
		return nil, core.ErrConnectionLost
	case <-s.link.Exited:
		return nil, core.ErrConnectionLost
	default:
	}
	conn, err := s.wire(ctx)
	if err != nil {
		return nil, err
	}
	s.link.Logger.DebugContext(ctx, "another connection to the plugin was made")
	return conn, nil
}

// watch ends the session when its connections are lost and no other is made. A
// remaining connection still carries the last data of an ended process.
func (s *session) watch() {
	defer s.end()
	defer s.broker.end(core.ErrClosed) // lending needs no stream to notice it
	for {
		live, changed := s.dialer.state()
		exited, answered, gaveUp := s.link.Exited, s.answered.Done(), s.dialer.gaveUp
		if live > 0 {
			exited, answered, gaveUp = nil, nil, nil
		}
		select {
		case <-changed:
		case <-exited:
			return
		case <-answered:
			return
		case <-gaveUp:
			s.link.Logger.Warn("the connection to the plugin is lost and cannot be made again; its process still runs",
				"attempts", redialAttempts)
			return
		case <-s.ctx.Done():
			return
		}
	}
}

// connected makes the connection again if it is lost, and returns
// core.ErrConnectionLost if that fails.
func (s *session) connected(ctx context.Context) error {
	if s.streams.Err() != nil {
		return core.ErrConnectionLost
	}
	if live, _ := s.dialer.state(); live > 0 {
		return nil
	}
	switch ok, err := ready(ctx, s.conn); {
	case ok:
		return nil
	case err != nil:
		return fmt.Errorf("%w, and is not made again: %w", core.ErrConnectionLost, err)
	default:
		return core.ErrConnectionLost
	}
}
