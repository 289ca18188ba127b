// Package tally is shared by a host and its plugins. A plugin serves many instances of one service
// in one process, each with state of its own. The host opens and closes them. An ID in the metadata
// of each call selects the instance, so any plugin with gRPC can do the same.
package tally

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	tallyv1 "github.com/jackfield-go/jackfield/examples/proto/tally/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Opener opens tallies. Plugins implement it.
type Opener interface {
	// Open makes a tally that begins with start.
	Open(ctx context.Context, start int64) (Tally, error)
}

// Tally is one instance.
type Tally interface {
	// Add adds to the sum and returns it.
	Add(ctx context.Context, amount int64) (int64, error)
	// Close ends the instance. Later calls return ErrUnknown.
	Close(ctx context.Context) error
}

// ErrUnknown reports an instance that was closed, or belongs to an earlier process of the plugin.
var ErrUnknown = errors.New("there is no such instance")

// Plugin is the name of the opener and its type, for hosts and plugins.
var Plugin = core.Define[Opener]("tallies")

// Handshake identifies a host of tallies to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_INSTANCES_PLUGIN",
	MagicCookieValue: "a9d3570e",
}

// Versions are the protocol versions of the application.
var Versions = core.Versions{
	1: {transportgrpc.New(transportgrpc.Carry(Plugin, register, newClient))},
}

// register runs in the plugin.
func register(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, impl Opener) error {
	tallyv1.RegisterTallyServiceServer(r, &server{impl: impl, open: make(map[string]Tally)})
	return nil
}

// newClient runs in the host.
func newClient(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (Opener, error) {
	return &client{tallyv1.NewTallyServiceClient(conn)}, nil
}
