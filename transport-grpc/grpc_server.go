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

// serverOptions are those of every server of this side: of brokered connections
// too. calls counts the calls; nil in a host. permanent are the streams that do not
// count as calls.
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
		grpc.WaitForHandlers(false), // a handler that does not heed its context must not keep the plugin
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

// minPingInterval lets clients ask for a sign of life as often as they want. gRPC's
// own limit is a ping in 5 minutes, at which its keep-alives of 10 seconds lose their
// connection. What a flood of them leaves unsent is bounded by gRPC.
const minPingInterval = time.Nanosecond

// permanentStreams are those that a host has open all the time: the plugin's
// output and the broker's.
const permanentStreams = 2

// streamWorkers lets goroutines with grown stacks serve one call after the other,
// which takes 6 % off a short call. Each permanent stream keeps one of them.
func streamWorkers() grpc.ServerOption {
	return grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0) + permanentStreams))
}

// grpcServer is gRPC's server with ends that come when they are called for. Its
// own wait for two things that the other side, or the application, may withhold:
// for every connection the first bytes, up to two minutes; and in an orderly end
// all methods, those that do not heed their context too.
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

// Serve answers what listener accepts, until the end.
func (s *grpcServer) Serve(listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Server.Serve(&arrivals{Listener: listener, server: s}) }()
	select {
	case err := <-served:
		return err
	case <-s.cut:
		return grpc.ErrServerStopped // what is left ends with the last method
	}
}

// Stop ends the server at once, and an orderly end that is under way.
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

// Leave is an orderly end: answers that are on their way are sent. It ends with
// ctx at the latest.
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
func (s *grpcServer) drop(which func(*arrival) bool) {
	for c := range s.conns {
		if which(c) {
			delete(s.conns, c)
			_ = c.Conn.Close()
		}
	}
}

// arrivals notes what is accepted.
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

// arrival is a connection that was accepted.
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
