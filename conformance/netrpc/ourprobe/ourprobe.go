// Package ourprobe adapts the conformance suite's probe to transport-netrpc, for hosts and
// plugins built on Jackfield. The service and its messages come from package shared, so the
// other side may be built on go-plugin.
package ourprobe

import (
	"context"
	"net"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// PluginConfig configures a plugin that serves the probe.
func PluginConfig(versions shared.Versions, options ...netrpc.Option) plugin.Config {
	return plugin.Config{
		Handshake:  Handshake(),
		Versions:   Versions(versions, options...),
		Implements: Plugin.Bind(Suite{}),
		Info:       plugin.Info{Version: Release},
		Outlive:    true, // where the host permits it
	}
}

// Release is the semantic version of our plugin.
const Release = "1.4.2"

// Handshake is the suite's cookie.
func Handshake() core.Handshake {
	return core.Handshake{MagicCookieKey: shared.CookieKey, MagicCookieValue: shared.CookieValue}
}

// Plugin is the suite's probe.
var Plugin = core.DefineSides[Suite, *Probe](shared.PluginName)

// Suite stands for the implementation: the suite has its own.
type Suite struct{}

// Versions offers the probe under each of the versions, each with its own instance counter.
// Legacy versions make no difference: every plugin and host on Jackfield has versions.
func Versions(versions shared.Versions, options ...netrpc.Option) core.Versions {
	offered := make(core.Versions, len(versions.Numbers))
	for _, number := range versions.Numbers {
		all := append([]netrpc.Option{Carry(Plugin, &shared.Factory{Version: number})}, options...)
		offered[number] = []core.Transport{netrpc.New(all...)}
	}
	return offered
}

// Carry carries a probe made by factory.
func Carry(p core.Plugin[Suite, *Probe], factory *shared.Factory) netrpc.Option {
	server := func(broker *netrpc.Broker, _ Suite) (any, error) {
		return factory.New(Adapt(context.Background(), broker)), nil
	}
	client := func(broker *netrpc.Broker, client *netrpc.Client) (*Probe, error) {
		return &Probe{
			Probe: shared.NewProbe(client, Adapt(context.Background(), broker)),
			Conns: broker,
		}, nil
	}
	return netrpc.Carry(p, server, client)
}

// Probe is the probe as dispensed by our host.
type Probe struct {
	*shared.Probe

	// Conns is the host's end of the broker, for features beyond shared.Broker: objects,
	// readers and contexts.
	Conns *netrpc.Broker
}

// Adapt gives broker the methods of the suite's common interface. They wait until ctx ends.
func Adapt(ctx context.Context, broker *netrpc.Broker) shared.Broker {
	return adapter{ctx, broker}
}

type adapter struct {
	ctx    context.Context
	broker *netrpc.Broker
}

func (a adapter) NextId() uint32 { return a.broker.NextID() } // shared.Broker uses go-plugin's spelling

func (a adapter) Accept(id uint32) (net.Conn, error) { return a.broker.Accept(a.ctx, id) }

func (a adapter) Dial(id uint32) (net.Conn, error) { return a.broker.Dial(a.ctx, id) }
