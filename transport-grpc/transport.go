// Package transportgrpc carries the calls between a host and a plugin over
// gRPC (protocol §5). Plugins may be written in any language that has gRPC, and
// both sides work with programs that are built on hashicorp/go-plugin.
//
// An application describes each of its plugins by a [Plugin]: what the plugin
// registers on its server, and how to make a client of the application's
// interface out of a connection. Where generated code is all there is to it,
// [Service] makes one of it. A [PluginSet] gives them names, and New makes a
// transport of the set:
//
//	core.Versions{1: {transportgrpc.New(transportgrpc.PluginSet{
//		"kv": transportgrpc.Service(kvpb.RegisterKVServer, kvpb.NewKVClient, impl),
//	})}}
//
// What cannot be in a message (an interface of the host's, an io.Reader) goes
// through the [Broker]: [Lend] serves it and returns a number to put into the
// message, [Borrow] makes a client of the number.
package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
)

// Plugin is one kind of plugin, on both sides.
type Plugin interface {
	// Server registers the services of the plugin on r. It is called once,
	// in the plugin, before the handshake: all its callers share them.
	Server(b *Broker, r grpc.ServiceRegistrar) error

	// Client returns the application's interface over conn, which is closed
	// with the plugin. It is called in the host, for each Dispense anew.
	Client(b *Broker, conn grpc.ClientConnInterface) (any, error)
}

// PluginSet gives plugins the names by which they are dispensed. The plugins of
// a set share one server, and so must have different services.
type PluginSet map[string]Plugin

// PluginFuncs makes a [Plugin] of two functions. The one of the other side may
// be nil where only one side is built.
type PluginFuncs struct {
	NewServer func(b *Broker, r grpc.ServiceRegistrar) error
	NewClient func(b *Broker, conn grpc.ClientConnInterface) (any, error)
}

// Server calls NewServer.
func (p PluginFuncs) Server(b *Broker, r grpc.ServiceRegistrar) error {
	if p.NewServer == nil {
		return errors.New("this program has no server side of the plugin: PluginFuncs.NewServer is nil")
	}
	return p.NewServer(b, r)
}

// Client calls NewClient.
func (p PluginFuncs) Client(b *Broker, conn grpc.ClientConnInterface) (any, error) {
	if p.NewClient == nil {
		return nil, errors.New("this program has no client side of the plugin: PluginFuncs.NewClient is nil")
	}
	return p.NewClient(b, conn)
}

// Transport is the gRPC transport of one plugin set. It is safe for use by any
// number of launches.
type Transport struct {
	plugins PluginSet
	options options
}

var _ core.Transport = (*Transport)(nil)

// New returns a transport for the plugins of set, which is copied.
func New(set PluginSet, opts ...Option) *Transport {
	t := &Transport{plugins: maps.Clone(set), options: defaults()}
	for _, opt := range opts {
		opt.apply(&t.options)
	}
	return t
}

// Protocol returns [core.GRPC].
func (t *Transport) Protocol() core.Protocol { return core.GRPC }

// Announce asks the plugin to multiplex, with [WithMultiplexing].
func (t *Transport) Announce(set func(key, value string)) {
	if t.options.multiplex {
		set(envMultiplex, "true")
	}
}

// Dial connects to the plugin and makes sure that it speaks gRPC. With
// [WithMultiplexing] a plugin that does not multiplex is a [MultiplexError].
func (t *Transport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	s, err := dial(ctx, t, link)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Listen returns the plugin's server, with the services of all plugins on it.
func (t *Transport) Listen(_ context.Context, link core.PluginLink) (core.Server, error) {
	if err := t.options.yamux.Validate(); err != nil {
		return nil, fmt.Errorf("the option WithYamux: %w", err)
	}
	s, err := newServer(t, link)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Names returns the names under which plugins can be dispensed, sorted: what a
// plugin says that it has when it is asked to describe itself.
func (t *Transport) Names() []string { return slices.Sorted(maps.Keys(t.plugins)) }

// find returns the plugin called name, or an error that lists those there are.
func (t *Transport) find(name string) (Plugin, error) {
	if p, ok := t.plugins[name]; ok {
		return p, checkPlugin(name, p)
	}
	known := slices.AppendSeq([]string{}, maps.Keys(t.plugins))
	slices.Sort(known)
	return nil, &core.UnknownPluginError{Name: name, Side: "host", Known: known}
}

// checkPlugin finds what cannot be called. A nil pointer may be a plugin of the
// application's, but is none of ours.
func checkPlugin(name string, p Plugin) error {
	if funcs, ok := p.(*PluginFuncs); p == nil || ok && funcs == nil {
		return fmt.Errorf("the plugin %q of the set is nil: give PluginSet a Plugin, such as PluginFuncs or what Service returns", name)
	}
	return nil
}

// register lets every plugin of the set register its services.
func (t *Transport) register(b *Broker, r *registrar) error {
	for _, name := range slices.Sorted(maps.Keys(t.plugins)) {
		plugin := t.plugins[name]
		if err := checkPlugin(name, plugin); err != nil {
			return err
		}
		err := plugin.Server(b, r)
		if err = errors.Join(err, r.err); err != nil {
			return fmt.Errorf("the Server function of plugin %q: %w", name, err)
		}
	}
	return nil
}
