package transportnetrpc

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// connection is the multiplexed connection to a plugin, with its streams and broker.
type connection struct {
	session   *session
	mux       *yamux.Session
	control   *Client
	broker    *Broker
	cancel    context.CancelFunc
	stdio     sync.WaitGroup
	undrained atomic.Int32  // stdio streams still open
	printed   chan struct{} // closed when both stdio streams have ended
	closing   sync.Once
}

// connect connects, opens the first three streams of every connection, and waits
// until the plugin has accepted them.
func (s *session) connect(ctx context.Context) (*connection, error) {
	conn, err := secured(ctx, s.link)
	if err != nil {
		return nil, err
	}
	mux, err := yamux.Client(conn, s.transport.options.yamux)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("start the multiplexed connection: %w", err)
	}
	streams, err := openStreams(ctx, mux)
	if err != nil {
		_ = mux.Close()
		return nil, fmt.Errorf("open the control and output streams: %w", err)
	}
	own, cancel := context.WithCancel(context.Background())
	c := &connection{
		session: s,
		mux:     mux,
		control: rpc.NewClient(streams[0], rpc.ClientConfig{MaxMessageSize: maxControlMessage, Explain: s.explain}),
		broker:  newBroker(own, broker.Yamux(mux), s.transport.options, s.link.Logger, nil, s.explain),
		cancel:  cancel,
		printed: make(chan struct{}),
	}
	c.undrained.Store(2)
	c.stdio.Go(func() { c.drain("stdout", s.link.Stdout, streams[1]) })
	c.stdio.Go(func() { c.drain("stderr", s.link.Stderr, streams[2]) })
	if err := streams[2].Acknowledged(ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("the plugin accepted the connection, but does not answer as a net/rpc plugin does: %w", err)
	}
	return c, nil
}

// secured dials and does the TLS handshake.
func secured(ctx context.Context, link core.HostLink) (net.Conn, error) {
	conn, err := link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if conn, err = link.TLS.Connect(ctx, conn); err != nil {
		return nil, fmt.Errorf("secure the connection to the plugin: %w", err)
	}
	return conn, nil
}

func openStreams(ctx context.Context, mux *yamux.Session) (streams [3]*yamux.Stream, err error) {
	for i := range streams {
		if streams[i], err = mux.Open(ctx); err != nil {
			return streams, err
		}
	}
	return streams, nil
}

// lost reports whether the connection has ended.
func (c *connection) lost() bool {
	select {
	case <-c.mux.Done():
		return true
	default:
		return false
	}
}

// lose makes calls in flight and later ones fail for want of the connection. After
// close they fail as closed.
func (c *connection) lose() {
	c.broker.lose(core.ErrConnectionLost)
	c.control.CloseWithError(core.ErrConnectionLost)
}

func (c *connection) close() {
	c.closing.Do(func() {
		c.cancel()
		c.broker.close()
		_ = c.control.Close()
		_ = c.mux.Close()
		c.stdio.Wait()
	})
}
