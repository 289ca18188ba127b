// Package counter is what a host and its plugins agree on where the plugin calls
// back over gRPC: the host passes an interface of its own, and an io.Reader, into a
// call. The example callback does the same over net/rpc.
package counter

import (
	"context"
	"io"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	counterv1 "github.com/jackfield-go/jackfield/examples/proto/counter/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Counter is what a plugin implements.
type Counter interface {
	// Add puts n on top of what is counted under key. The sum is the adder's.
	Add(ctx context.Context, key string, n int64, adder Adder) (int64, error)
	// CountWords counts the words in r, which the host has.
	CountWords(ctx context.Context, r io.Reader) (int64, error)
}

// Adder is what the host implements, for the plugin to call.
type Adder interface {
	Sum(ctx context.Context, a, b int64) (int64, error)
}

// Name is the name by which the counter is dispensed.
const Name = "counter"

// Handshake is how a plugin knows that a counting host started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_BIDIRECTIONAL_PLUGIN",
	MagicCookieValue: "5e6b80d7",
}

// Versions are the protocol versions of the application. A plugin passes its
// implementation, a host nil. With transportgrpc.WithMultiplexing a host has the
// callbacks inside its one connection with the plugin; nothing else changes.
func Versions(impl Counter, opts ...transportgrpc.Option) core.Versions {
	return core.Versions{
		1: {transportgrpc.New(transportgrpc.PluginSet{Name: counterPlugin{impl}}, opts...)},
	}
}

// counterPlugin makes both ends of the wire. Each keeps the broker, through which
// the adder and the reader go.
type counterPlugin struct{ impl Counter }

func (p counterPlugin) Server(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
	counterv1.RegisterCounterServiceServer(r, &server{impl: p.impl, broker: b})
	return nil
}

func (counterPlugin) Client(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (any, error) {
	return &client{counterv1.NewCounterServiceClient(conn), b}, nil
}
