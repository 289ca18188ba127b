// Package ourprobe puts the conformance suite's probe onto transport-netrpc, for
// hosts and plugins built on Jackfield. The service and its messages are package
// shared's, so that the other side may be built on go-plugin.
package ourprobe

import (
	"context"
	"net"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Handshake is the suite's cookie.
func Handshake() core.Handshake {
	return core.Handshake{MagicCookieKey: shared.CookieKey, MagicCookieValue: shared.CookieValue}
}

// Versions offers the probe under each of the versions, with one instance
// counter each. Whether they are legacy makes no difference: every plugin and
// every host of ours has versions.
func Versions(versions shared.Versions, options ...netrpc.Option) core.Versions {
	offered := make(core.Versions, len(versions.Numbers))
	for _, number := range versions.Numbers {
		set := netrpc.PluginSet{shared.PluginName: Plugin(&shared.Factory{Version: number})}
		offered[number] = []core.Transport{netrpc.New(set, options...)}
	}
	return offered
}

// Plugin is both halves of the probe: a plugin serves what factory makes, a host
// dispenses a *[Probe].
func Plugin(factory *shared.Factory) netrpc.Plugin {
	return netrpc.PluginFuncs{
		NewServer: func(broker *netrpc.Broker) (any, error) {
			return factory.New(Adapt(context.Background(), broker)), nil
		},
		NewClient: func(broker *netrpc.Broker, client *netrpc.Client) (any, error) {
			return &Probe{
				Probe: shared.NewProbe(client, Adapt(context.Background(), broker)),
				Conns: broker,
			}, nil
		},
	}
}

// Probe is the probe as our host dispenses it.
type Probe struct {
	*shared.Probe

	// Conns is the host's end of the broker, for what shared.Broker does not
	// have: objects, readers and contexts.
	Conns *netrpc.Broker
}

// Adapt gives broker the methods that the suite's code for all libraries wants.
// They wait until ctx ends.
func Adapt(ctx context.Context, broker *netrpc.Broker) shared.Broker {
	return adapter{ctx, broker}
}

type adapter struct {
	ctx    context.Context
	broker *netrpc.Broker
}

func (a adapter) NextId() uint32 { return a.broker.NextID() } // shared.Broker spells it as go-plugin does

func (a adapter) Accept(id uint32) (net.Conn, error) { return a.broker.Accept(a.ctx, id) }

func (a adapter) Dial(id uint32) (net.Conn, error) { return a.broker.Dial(a.ctx, id) }
