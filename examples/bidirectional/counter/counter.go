// Package counter is shared by a host and its plugins. The plugin calls back over gRPC: the host
// passes its own interface, and an io.Reader, into a call. The example callback does the same over
// net/rpc.
package counter

import (
	"context"
	"io"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	counterv1 "github.com/jackfield-go/jackfield/examples/proto/counter/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Counter is implemented by plugins.
type Counter interface {
	// Add adds n to the count under key. The adder computes the sum.
	Add(ctx context.Context, key string, n int64, adder Adder) (int64, error)
	// CountWords counts the words in r, a reader of the host.
	CountWords(ctx context.Context, r io.Reader) (int64, error)
}

// Adder is implemented by the host and called by the plugin.
type Adder interface {
	Sum(ctx context.Context, a, b int64) (int64, error)
}

// Plugin is the name of the counter and its type, for hosts and plugins.
var Plugin = core.Define[Counter]("counter")

// Handshake identifies a counting host to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_BIDIRECTIONAL_PLUGIN",
	MagicCookieValue: "5e6b80d7",
}

// Versions are the protocol versions of the application. With the option
// transportgrpc.WithMultiplexing, callbacks share the host's one connection with the plugin.
// Nothing else changes.
func Versions(opts ...transportgrpc.Option) core.Versions {
	opts = append(opts, transportgrpc.Carry(Plugin, register, newClient))
	return core.Versions{1: {transportgrpc.New(opts...)}}
}

// register runs in the plugin. Both sides keep the broker; it carries the adder and the reader.
func register(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl Counter) error {
	counterv1.RegisterCounterServiceServer(r, &server{impl: impl, broker: b})
	return nil
}

// newClient runs in the host.
func newClient(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (Counter, error) {
	return &client{counterv1.NewCounterServiceClient(conn), b}, nil
}
