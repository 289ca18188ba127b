// Package ourprobe adapts the conformance suite's gRPC probe to transport-grpc, for hosts
// and plugins built on Jackfield. The service comes from package probe, so the other side
// may be built on go-plugin.
package ourprobe

import (
	"context"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// PluginConfig configures a plugin that serves the probe.
func PluginConfig(versions shared.Versions, options ...transportgrpc.Option) plugin.Config {
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

// Versions offers the probe under each of the versions. Legacy versions make no difference:
// every plugin and host on Jackfield has versions.
func Versions(versions shared.Versions, options ...transportgrpc.Option) core.Versions {
	offered := make(core.Versions, len(versions.Numbers))
	for _, number := range versions.Numbers {
		all := append([]transportgrpc.Option{carry(number)}, options...)
		offered[number] = []core.Transport{transportgrpc.New(all...)}
	}
	return offered
}

// carry carries the probe of the given version.
func carry(version int) transportgrpc.Option {
	register := func(broker *transportgrpc.Broker, r grpc.ServiceRegistrar, _ Suite) error {
		conformancev1.RegisterProbeServiceServer(r, probe.NewServer(Adapt(broker), version))
		return nil
	}
	client := func(broker *transportgrpc.Broker, conn grpc.ClientConnInterface) (*Probe, error) {
		return &Probe{Client: probe.NewClient(conn, Adapt(broker)), Conns: broker}, nil
	}
	return transportgrpc.Carry(Plugin, register, client)
}

// Probe is the probe as dispensed by our host.
type Probe struct {
	*probe.Client

	// Conns is the host's end of the broker, for methods beyond probe.Broker.
	Conns *transportgrpc.Broker
}

// Adapt gives broker the methods of the suite's common interface.
func Adapt(broker *transportgrpc.Broker) probe.Broker { return adapter{broker} }

type adapter struct {
	broker *transportgrpc.Broker
}

// NextID returns an unused ID.
func (a adapter) NextID() uint32 { return a.broker.NextID() }

// Dial connects to the other side's server at id.
func (a adapter) Dial(ctx context.Context, id uint32) (probe.Conn, error) {
	conn, err := a.broker.Client(ctx, id)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// Serve announces the ID before it serves there: this must be safe on Jackfield.
func (a adapter) Serve(ctx context.Context, id uint32, ready func(), register func(grpc.ServiceRegistrar)) error {
	ready()
	if err := a.broker.Serve(ctx, id, register); ctx.Err() == nil {
		return err
	}
	return nil
}
