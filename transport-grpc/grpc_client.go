package transportgrpc

import (
	"context"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"

	"github.com/jackfield-go/jackfield/core"
)

// Windows of fixed size, in bytes: between two processes of one machine, gRPC's
// measurement of a window costs more than it gains. They limit the unread data of a
// connection. gRPC's options named Initial fix a window just as those named Static do,
// and the latter need gRPC 1.74.
const (
	streamWindow     = 4 << 20
	connectionWindow = 16 << 20
)

// readBuffer is the buffer of an idle connection, in bytes: a host has many, and
// brokered connections come and go with calls. Large messages bypass it.
const readBuffer = 8 << 10

// redialBackoff is for peers on the same machine: gRPC's own default waits a second
// before the second attempt. minConnectTimeout is gRPC's default.
var redialBackoff = backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

const minConnectTimeout = 20 * time.Second

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

// clientOptions are the options of every connection dialled by this side, brokered
// connections included. explain adds the reasons to the errors of calls.
func (o *options) clientOptions(security *core.TLS, explain explainer, dial func(context.Context) (net.Conn, error)) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(transportCredentials(security)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }),
		grpc.WithAuthority(authority(security)),
		grpc.WithIdleTimeout(0), // closing an idle connection would end the plugin's streams
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: redialBackoff, MinConnectTimeout: minConnectTimeout}),
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

// ready waits until the other side has answered as gRPC does, and returns false if it
// did not; the errors of calls have the reason.
func ready(ctx context.Context, conn *grpc.ClientConn) (bool, error) {
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return true, nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return false, nil
		case connectivity.Idle: // at first, and after a connection closed at once
			conn.Connect()
		case connectivity.Connecting:
		}
		if !conn.WaitForStateChange(ctx, state) {
			return false, context.Cause(ctx)
		}
	}
}
