// Package transportnetrpc carries the calls between a host and a plugin over
// the wire of the standard library's net/rpc: gob messages over streams of one
// multiplexed connection (protocol §4). It has no dependency outside Jackfield,
// and works with hosts and plugins built on hashicorp/go-plugin.
//
// [Carry] ties a plugin of the application's, a [core.Plugin], to two functions. The
// first makes the object for the plugin to serve; the second makes a client of the
// application's interface from a [Client]. New makes a transport of that:
//
//	var Versions = core.Versions{1: {transportnetrpc.New(transportnetrpc.Carry(Plugin, newServer, newClient))}}
//
// The [Broker] passes the rest: interfaces of the host's, readers and writers.
package transportnetrpc

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
)

// Types of package rpc for the functions given to [Carry].
type (
	// Client calls the methods of one object at the other side.
	Client = rpc.Client
	// RemoteError is an error returned by the other side's method.
	RemoteError = rpc.RemoteError
	// MessageSizeError is the error of a message above this side's limit.
	MessageSizeError = rpc.MessageSizeError
	// BasicError carries an error inside a gob message.
	BasicError = rpc.BasicError
)

// NewBasicError returns err in a form for gob; nil for nil.
func NewBasicError(err error) *BasicError { return rpc.NewBasicError(err) }

// Transport is the net/rpc transport of its plugins. It is safe for use by any number
// of launches.
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

// Dial connects to the plugin and waits for its answer.
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
