package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/jackfield-go/jackfield/core"
)

// Windows of fixed size, in bytes: gRPC's way of finding one out costs more than
// it gains between two processes of one machine. They bound what a connection
// keeps that nobody has read yet. gRPC's options named Initial fix a window just as
// those named Static do, and the latter need gRPC 1.74.
const (
	streamWindow     = 4 << 20
	connectionWindow = 16 << 20
)

// readBuffer is what an idle connection keeps, in bytes: a host has many, and
// brokered ones come and go with calls. Large messages go past it.
const readBuffer = 8 << 10

// target needs no resolver.
const target = "passthrough:///plugin"

// authority stands for any plugin: the address of a socket breaks servers in
// other languages (protocol §5). Under TLS of the application's own it is the name
// in the plugin's certificate, since gRPC takes no other beside that.
func authority(security *core.TLS) string {
	if security != nil && security.Client.ServerName != "" {
		return security.Client.ServerName
	}
	return "localhost"
}

// clientOptions are those of every connection that this side dials: of the
// brokered ones too. explain says why a call failed.
func (o *options) clientOptions(security *core.TLS, explain explainer, dial func(context.Context) (net.Conn, error)) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(transportCredentials(security)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }),
		grpc.WithAuthority(authority(security)),
		grpc.WithIdleTimeout(0), // the connection is the plugin's life
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithInitialWindowSize(streamWindow),
		grpc.WithInitialConnWindowSize(connectionWindow),
		grpc.WithReadBufferSize(readBuffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(o.maxMessage), grpc.MaxCallSendMsgSize(o.maxMessage)),
		grpc.WithChainUnaryInterceptor(explain.unary, o.codec.unary),
		grpc.WithChainStreamInterceptor(explain.stream, o.codec.stream),
	}
	return append(opts, o.dial...)
}

func newClient(opts []grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		return nil, fmt.Errorf("the options of the connection: %w", err)
	}
	return conn, nil
}

// dialer gives gRPC its connections: the first one, and then those of again. The
// first one is there before gRPC asks, so that a failure to connect is the caller's
// error and not that of the first call.
type dialer struct {
	again func(context.Context) (net.Conn, error)

	mu     sync.Mutex
	first  *connection // nil once gRPC has it
	latest *connection
}

func newDialer(again func(context.Context) (net.Conn, error)) *dialer {
	return &dialer{again: again}
}

// begin sets the first connection.
func (d *dialer) begin(first *connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first, d.latest = first, first
}

// dial is called by gRPC.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	if first := d.take(); first != nil {
		return first, nil
	}
	raw, err := d.again(ctx)
	if err != nil {
		return nil, err
	}
	conn := newConnection(raw)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latest = conn
	return conn, nil
}

// take returns the first connection, once.
func (d *dialer) take() *connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.first
	d.first = nil
	return first
}

// close closes the first connection if gRPC has not asked for it.
func (d *dialer) close() {
	if first := d.take(); first != nil {
		_ = first.Close()
	}
}

// isLost reports whether the connection that gRPC uses is lost.
func (d *dialer) isLost() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.latest != nil && d.latest.isLost()
}

// ready waits until the other side has answered as gRPC does. A false result
// means that it did not; calls say why.
func ready(ctx context.Context, conn *grpc.ClientConn) (bool, error) {
	conn.Connect()
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return true, nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false, nil
		case connectivity.Idle, connectivity.Connecting:
		}
		if !conn.WaitForStateChange(ctx, state) {
			return false, context.Cause(ctx)
		}
	}
}

// connection is a network connection that is known to be lost when it is.
type connection struct {
	net.Conn

	once    sync.Once
	lost    chan struct{}         // closed with the connection
	failure atomic.Pointer[error] // of the first read or write that failed
}

func newConnection(conn net.Conn) *connection {
	return &connection{Conn: conn, lost: make(chan struct{})}
}

// Read and Write keep their error: gRPC makes a text of it.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.failure.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (c *connection) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failure.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close is called by gRPC too, before it fails the calls that are in flight.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.lost) })
	return c.Conn.Close()
}

func (c *connection) isLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}
