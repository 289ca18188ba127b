// Package transportnetrpc carries the calls between a host and a plugin over
// the wire of the standard library's net/rpc: gob messages over streams of one
// multiplexed connection (protocol §4). It has no dependency outside Jackfield,
// and works with hosts and plugins that are built on hashicorp/go-plugin.
//
// An application describes each of its plugins by a [Plugin]: how to make the
// object whose methods the plugin serves, and how to make a client of the
// application's interface out of a [Client]. A [PluginSet] gives them names, and
// New makes a transport of the set:
//
//	core.Versions{1: {transportnetrpc.New(transportnetrpc.PluginSet{"greeter": &greeterPlugin{impl}})}}
//
// What cannot be in a message (an interface of the host's, an io.Reader) goes
// through the [Broker].
package transportnetrpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/yamux"
	"github.com/jackfield-go/jackfield/core"
)

// DefaultMaxConcurrentCalls is how many calls one connection runs at a time,
// unless [WithMaxConcurrentCalls] says otherwise.
const DefaultMaxConcurrentCalls = 8192

// DefaultConnectionTimeout is how long a plugin waits for a connection to become
// a host's, unless [WithConnectionTimeout] says otherwise. It is gRPC's.
const DefaultConnectionTimeout = 2 * time.Minute

// Plugin is one kind of plugin, on both sides.
type Plugin interface {
	// Server returns the object to serve to one client: its methods of the
	// form that net/rpc accepts can be called, func (t *T) Name(args A, reply
	// *R) error, and the same with a context.Context in front, which ends with
	// the connection. It is called in the plugin, for each Dispense anew.
	Server(b *Broker) (any, error)

	// Client returns the application's interface over c. It is called in the
	// host, for each Dispense anew.
	Client(b *Broker, c *Client) (any, error)
}

// PluginSet gives plugins the names by which they are dispensed.
type PluginSet map[string]Plugin

// PluginFuncs makes a [Plugin] of two functions. The one of the other side may
// be nil where only one side is built.
type PluginFuncs struct {
	NewServer func(b *Broker) (any, error)
	NewClient func(b *Broker, c *Client) (any, error)
}

// Server calls NewServer.
func (p PluginFuncs) Server(b *Broker) (any, error) {
	if p.NewServer == nil {
		return nil, fmt.Errorf("this program has no server side of the plugin: PluginFuncs.NewServer is nil")
	}
	return p.NewServer(b)
}

// Client calls NewClient.
func (p PluginFuncs) Client(b *Broker, c *Client) (any, error) {
	if p.NewClient == nil {
		return nil, fmt.Errorf("this program has no client side of the plugin: PluginFuncs.NewClient is nil")
	}
	return p.NewClient(b, c)
}

// Option changes what a transport does.
type Option interface {
	apply(o *options)
}

type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	yamux      yamux.Config
	broker     broker.Config
	maxCalls   int
	maxMessage int // bytes
	connecting time.Duration
}

// withDefaults returns the options with what was left open filled in.
func (o options) withDefaults() options {
	if o.maxCalls < 1 {
		o.maxCalls = DefaultMaxConcurrentCalls
	}
	if o.maxMessage < 1 {
		o.maxMessage = DefaultMaxMessageSize
	}
	if o.connecting < 1 {
		o.connecting = DefaultConnectionTimeout
	}
	return o
}

// WithYamux sets the bounds of the multiplexed connection: windows, backlog,
// keep-alive. Without it yamux's defaults hold, which send no keep-alive: the
// other side's end closes a local connection, and a debugger may stop it for
// as long as it takes.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: how long connections wait for
// somebody to accept them, and how many do.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}

// WithMaxConcurrentCalls bounds how many calls of one connection run at a time;
// further ones wait on the wire. n below 1 means [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) { o.maxCalls = n })
}

// WithMaxMessageSize bounds how large a message may be that this side takes, in
// bytes of gob: the arguments of a call, or what it answers. A larger one is a
// [MessageSizeError] as soon as it is announced, before there is memory for any
// of it, and ends its connection, as it is not read past: that of one dispensed
// or brokered object, not the session. A side that answers calls can only log
// that; the caller's error is [core.ErrConnectionLost]. n below 1 means
// [DefaultMaxMessageSize]; gob itself takes no more than 8 GiB, on 32-bit machines
// 1 GiB, whatever n is. What passed readers and writers carry is not bounded.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) { o.maxMessage = n })
}

// WithConnectionTimeout bounds how long a plugin waits for what every host says at
// once: TLS, and the first streams. What connects and says nothing is let go then,
// so that it does not use up the plugin's files. A host that is connected may be
// silent for as long as it likes. d below 1 means [DefaultConnectionTimeout]. On
// the host's side it changes nothing: a context bounds the launch.
func WithConnectionTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.connecting = d })
}

// Transport is the net/rpc transport of one plugin set. It is safe for use by
// any number of launches.
type Transport struct {
	plugins PluginSet
	options options
}

var _ core.Transport = (*Transport)(nil)

// New returns a transport for the plugins of set, which is copied.
func New(set PluginSet, opts ...Option) *Transport {
	t := &Transport{plugins: maps.Clone(set)}
	for _, opt := range opts {
		opt.apply(&t.options)
	}
	t.options = t.options.withDefaults()
	return t
}

// Protocol returns [core.NetRPC].
func (t *Transport) Protocol() core.Protocol { return core.NetRPC }

// Announce sets nothing: net/rpc has no variables of its own.
func (t *Transport) Announce(func(key, value string)) {}

// Dial connects to the plugin and makes sure that it answers.
func (t *Transport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	s, err := dial(ctx, t, link)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Listen returns the plugin's server.
func (t *Transport) Listen(_ context.Context, link core.PluginLink) (core.Server, error) {
	if err := t.options.yamux.Validate(); err != nil {
		return nil, fmt.Errorf("the option WithYamux: %w", err)
	}
	return newServer(t, link), nil
}

// Names returns the names under which plugins can be dispensed, sorted: what a
// plugin says that it has when it is asked to describe itself.
func (t *Transport) Names() []string { return slices.Sorted(maps.Keys(t.plugins)) }

// find returns the plugin called name, or an error that lists those there are.
func (t *Transport) find(name, side string) (Plugin, error) {
	if p := t.plugins[name]; p != nil {
		return p, nil
	}
	known := slices.Sorted(maps.Keys(t.plugins))
	if known == nil {
		known = []string{}
	}
	return nil, &core.UnknownPluginError{Name: name, Side: side, Known: known}
}
