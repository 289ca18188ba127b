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
	"net"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// Defaults of [WithMaxMessageSize], in bytes, of [WithMaxConcurrentCalls], and of
// [WithMaxServed].
const (
	DefaultMaxServed          = 8192
	DefaultMaxMessageSize     = rpc.DefaultMaxMessageSize
	DefaultMaxConcurrentCalls = rpc.DefaultMaxConcurrentCalls
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

// Option says what a transport carries, and how.
type Option interface {
	apply(o *options)
}

type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	carried    []carried
	yamux      yamux.Config
	broker     broker.Config
	maxCalls   int
	maxServed  int
	maxMessage int // bytes
}

// maxControlMessage bounds the messages of the services Control and Dispenser, in
// bytes, in both directions: names, IDs, and the text of an error.
const maxControlMessage = 128 << 10

// serve answers calls over conn; see [rpc.Serve].
func (o options) serve(ctx context.Context, conn net.Conn, services map[string]*rpc.Service, calls *core.Calls) error {
	return rpc.Serve(ctx, conn, services,
		rpc.ServerConfig{MaxMessageSize: o.maxMessage, MaxConcurrentCalls: o.maxCalls, Calls: calls})
}

// WithYamux sets the bounds of the multiplexed connection: windows, backlog,
// keep-alive. Without it yamux's defaults hold, which send no keep-alive: the
// other side's end closes a local connection, and a debugger may stop it for
// as long as it takes.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: how long connections wait for somebody
// to accept them, and how many do. The fields of the prefixed scheme count.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}

// WithMaxConcurrentCalls bounds how many calls of one connection run at a time;
// further ones wait on the wire. n below 1 means [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) { o.maxCalls = n })
}

// WithMaxServed limits how many connections to its objects a side serves at a time,
// for each session: to dispensed objects and to lent ones. A further Dispense is an
// error, and a further connection is reset. As many objects may be dispensed that no
// client has dialled; above that the oldest goes. n below 1 means [DefaultMaxServed].
func WithMaxServed(n int) Option {
	return optionFunc(func(o *options) { o.maxServed = n })
}

// WithMaxMessageSize bounds how large a message may be that this side takes, in
// bytes of gob: the arguments of a call, or what it answers. A larger one is a
// [MessageSizeError] as soon as it is announced, before there is memory for any
// of it, and ends its connection, as it is not read past: that of one dispensed
// or brokered object, not the session. A side that answers calls can only log
// that; the caller's error is [core.ErrConnectionLost]. n below 1 means
// [DefaultMaxMessageSize]; gob itself takes no more than 8 GiB, on 32-bit machines
// 1 GiB, whatever n is. What passed readers and writers carry is not bounded.
//
// Bounds that n does not change: 64 KiB for the header of a request, 128 KiB for
// the messages of Ping, Dispense and Quit, and 1 MiB for the types that a
// connection defines.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) { o.maxMessage = n })
}

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
