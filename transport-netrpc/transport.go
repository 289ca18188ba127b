// Package transportnetrpc carries the calls between a host and a plugin over
// the wire of the standard library's net/rpc: gob messages over streams of one
// multiplexed connection (protocol §4). It has no dependency outside Jackfield,
// and works with hosts and plugins that are built on hashicorp/go-plugin.
//
// [Carry] ties a plugin of the application's, a [core.Plugin], to two functions:
// how to make the object whose methods a plugin serves, and how to make a client of
// the application's interface out of a [Client]. New makes a transport of that:
//
//	var Versions = core.Versions{1: {transportnetrpc.New(transportnetrpc.Carry(Plugin, newServer, newClient))}}
//
// What cannot be in a message (an interface of the host's, an io.Reader) goes
// through the [Broker].
package transportnetrpc

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
)

// What the functions given to [Carry] see of package rpc.
type (
	// Client calls the methods of one object at the other side.
	Client = rpc.Client
	// RemoteError is an error that the other side's method returned.
	RemoteError = rpc.RemoteError
	// MessageSizeError says that the other side announced a message that is larger
	// than this side takes.
	MessageSizeError = rpc.MessageSizeError
	// BasicError carries an error inside a gob message.
	BasicError = rpc.BasicError
)

// NewBasicError returns err as one that gob can encode; nil for nil.
func NewBasicError(err error) *BasicError { return rpc.NewBasicError(err) }

// Transport is the net/rpc transport of the plugins that it carries. It is safe for
// use by any number of launches.
type Transport struct{ options options }

var _ core.Transport = (*Transport)(nil)

// New returns a transport. Without a [Carry] among the options it carries nothing.
func New(opts ...Option) *Transport {
	t := new(Transport)
	for _, opt := range opts {
		opt.apply(&t.options)
	}
	if t.options.maxServed < 1 {
		t.options.maxServed = DefaultMaxServed
	}
	return t
}

// Protocol returns [core.NetRPC].
func (t *Transport) Protocol() core.Protocol { return core.NetRPC }

// HostEnv sets nothing: net/rpc has no variables of its own.
func (t *Transport) HostEnv(func(key, value string)) {}

// Dial connects to the plugin and makes sure that it answers.
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

// NewServer returns the plugin's server.
func (t *Transport) NewServer(_ context.Context, link core.PluginLink) (core.Server, error) {
	if err := t.checkCarried(); err != nil {
		return nil, err
	}
	if err := t.options.yamux.Validate(); err != nil {
		return nil, fmt.Errorf("the option WithYamux: %w", err)
	}
	return newServer(t, link), nil
}
