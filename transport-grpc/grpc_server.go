package transportgrpc

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/jackfield-go/jackfield/core"
)

// serverOptions are the options of every server of this side, brokered connections
// included. calls counts the calls; nil in a host. permanent is the number of streams
// besides calls.
func (o *options) serverOptions(security *core.TLS, calls *core.Calls, permanent uint32) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.Creds(transportCredentials(security)),
		grpc.MaxRecvMsgSize(o.maxMessage),
		grpc.MaxSendMsgSize(o.maxMessage),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connectionWindow),
		grpc.ForceServerCodecV2(o.codec),
		grpc.ReadBufferSize(readBuffer),
		grpc.ConnectionTimeout(o.connecting),
		grpc.WaitForHandlers(false), // a handler deaf to its context must not keep the plugin
		grpc.MaxConcurrentStreams(o.maxCalls + permanent),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}),
	}
	m := methods{calls: calls, maxError: maxErrorOfPlugin}
	if calls == nil {
		m.maxError = maxErrorOfHost
	}
	opts = append(opts, grpc.ChainUnaryInterceptor(m.unary), grpc.ChainStreamInterceptor(m.stream))
	return append(opts, o.server...)
}

// minPingInterval lets clients ask for a sign of life as often as they want. gRPC's own
// limit is a ping in 5 minutes: clients with keep-alives of 10 seconds would lose their
// connection. gRPC limits the unsent answers to a flood of pings.
const minPingInterval = time.Nanosecond

// permanentStreams is the number of streams open for a host's whole time: the plugin's
// output and the broker's.
const permanentStreams = 2

// streamWorkers lets goroutines with grown stacks serve one call after the other: 6 %
// less time for a short call. Each permanent stream occupies a goroutine.
func streamWorkers() grpc.ServerOption {
	return grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0) + permanentStreams))
}

// grpcServer is gRPC's server with prompt ends. gRPC's own ends wait for the other side
// or the application: up to two minutes for the first bytes of every connection; and in
// an orderly end for all methods, also those deaf to their context.
type grpcServer struct {
	*grpc.Server

	cut chan struct{} // closed when an orderly end is cut off

	mu      sync.Mutex
	leaving bool // an orderly end has begun
	ended   bool
	conns   map[*arrival]struct{}
}

func newGRPCServer(opts ...grpc.ServerOption) *grpcServer {
	return &grpcServer{
		Server: grpc.NewServer(opts...),
		cut:    make(chan struct{}),
		conns:  make(map[*arrival]struct{}),
	}
}

// Serve answers the connections of listener, until the end.
func (s *grpcServer) Serve(listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Server.Serve(&arrivals{Listener: listener, server: s}) }()
	select {
	case err := <-served:
		return err
	case <-s.cut:
		return grpc.ErrServerStopped // the rest ends with the last method
	}
}

// Stop ends the server at once, and an orderly end in progress.
func (s *grpcServer) Stop() {
	s.mu.Lock()
	leaving, again := s.leaving, s.ended
	s.ended = true
	s.drop(func(*arrival) bool { return true })
	s.mu.Unlock()
	switch {
	case !leaving:
		s.Server.Stop()
	case !again:
		close(s.cut)
	}
}

// Leave is an orderly end: pending answers are sent. It ends with ctx at the latest.
func (s *grpcServer) Leave(ctx context.Context) {
	s.mu.Lock()
	again := s.leaving || s.ended
	s.leaving = true
	s.drop(func(c *arrival) bool { return !c.spoke.Load() })
	s.mu.Unlock()
	if !again {
		left := make(chan struct{})
		go func() {
			defer close(left)
			s.GracefulStop()
		}()
		select {
		case <-left:
		case <-ctx.Done():
		}
	}
	s.Stop()
}

// drop closes some connections. It is called with the lock.
func (s *grpcServer) drop(choose func(*arrival) bool) {
	for c := range s.conns {
		if choose(c) {
			delete(s.conns, c)
			_ = c.Conn.Close()
		}
	}
}

// arrivals records accepted connections.
type arrivals struct {
	net.Listener

	server *grpcServer
}

func (l *arrivals) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s, c := l.server, &arrival{Conn: conn, server: l.server}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	if s.leaving || s.ended {
		s.drop(func(other *arrival) bool { return other == c })
	}
	return c, nil
}

// arrival is an accepted connection.
type arrival struct {
	net.Conn

	server *grpcServer
	spoke  atomic.Bool // the other side did
}

func (c *arrival) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.spoke.Load() {
		c.spoke.Store(true)
	}
	return n, err
}

func (c *arrival) tlsState() (tls.ConnectionState, bool) { return tlsStateOf(c.Conn) }

func (c *arrival) Close() error {
	s := c.server
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	return c.Conn.Close()
}
