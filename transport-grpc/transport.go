// Package transportgrpc carries the calls between a host and a plugin over
// gRPC (protocol §5). Plugins may be written in any language with gRPC, and both sides
// work with programs built on hashicorp/go-plugin.
//
// [Service] ties a plugin of the application's, a [core.Plugin], to generated code,
// and New makes a transport of that:
//
//	var Plugin = core.DefineSides[kvpb.KVServer, kvpb.KVClient]("kv")
//
//	var Versions = core.Versions{1: {transportgrpc.New(
//		transportgrpc.Service(Plugin, kvpb.RegisterKVServer, kvpb.NewKVClient),
//	)}}
//
// [Carry] is for an interface of the application's own. It takes two functions: the
// first registers the services of an implementation, the second makes a client of the
// interface from a connection.
//
// The [Broker] passes the rest: interfaces of the host's, readers and writers. [Lend]
// serves an implementation and returns an ID for a message, [Borrow] makes a client of
// the ID.
package transportgrpc

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
)

// Transport is the gRPC transport of its plugins. It is safe for use by any number of
// launches.
type Transport struct{ options options }

var _ core.Transport = (*Transport)(nil)

// New returns a transport. Without a [Carry] or [Service] among the options it
// carries nothing.
func New(opts ...Option) *Transport {
	t := &Transport{options: defaults()}
	for _, opt := range opts {
		opt.apply(&t.options)
	}
	return t
}

// Protocol returns [core.GRPC].
func (t *Transport) Protocol() core.Protocol { return core.GRPC }

// HostEnv asks the plugin to multiplex, with [WithMultiplexing], and whether it lends
// without cost.
func (t *Transport) HostEnv(set func(key, value string)) {
	set(envFields, fieldLending)
	if t.options.multiplex {
		set(envMultiplex, "true")
	}
}

// Dial connects to the plugin and checks for gRPC. With [WithMultiplexing] a plugin
// without multiplexing is a [MultiplexError].
func (t *Transport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	if err := t.checkCarried(); err != nil {
		return nil, err
	}
	s, err := dial(ctx, t, link)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// NewServer returns the plugin's server, with the services of all plugins in the link's
// Implements.
func (t *Transport) NewServer(_ context.Context, link core.PluginLink) (core.Server, error) {
	if err := t.checkCarried(); err != nil {
		return nil, err
	}
	if err := t.options.yamux.Validate(); err != nil {
		return nil, fmt.Errorf("the option WithYamux: %w", err)
	}
	s, err := newServer(t, link)
	if err != nil {
		return nil, err
	}
	return s, nil
}
