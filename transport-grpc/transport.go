// Package transportgrpc carries the calls between a host and a plugin over
// gRPC (protocol §5). Plugins may be written in any language that has gRPC, and
// both sides work with programs that are built on hashicorp/go-plugin.
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
// [Carry] is for an interface of the application's own: it takes a function that
// registers the services of an implementation, and a function that makes a client
// of the interface out of a connection.
//
// What cannot be in a message (an interface of the host's, an io.Reader) goes
// through the [Broker]: [Lend] serves it and returns an ID to put into the message,
// [Borrow] makes a client of the ID.
package transportgrpc

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
)

// Transport is the gRPC transport of the plugins that it carries. It is safe for use
// by any number of launches.
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

// HostEnv asks the plugin to multiplex, with [WithMultiplexing].
func (t *Transport) HostEnv(set func(key, value string)) {
	if t.options.multiplex {
		set(envMultiplex, "true")
	}
}

// Dial connects to the plugin and makes sure that it speaks gRPC. With
// [WithMultiplexing] a plugin that does not multiplex is a [MultiplexError].
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

// NewServer returns the plugin's server, with the services of all plugins that the
// link's Implements has.
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
