package transportgrpc

import (
	"context"
	"net"

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
