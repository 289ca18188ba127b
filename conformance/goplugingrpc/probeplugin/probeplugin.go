// Package probeplugin adapts the probe of package probe to hashicorp/go-plugin's gRPC, for
// hosts and plugins built on that library.
package probeplugin

import (
	"context"
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// Plugin is go-plugin's description of both halves of the probe.
type Plugin struct {
	goplugin.NetRPCUnsupportedPlugin

	// Version is the version in the plugin's Status.
	Version int
}

var _ goplugin.GRPCPlugin = (*Plugin)(nil)

// GRPCServer registers the probe, once in a plugin's lifetime.
func (p *Plugin) GRPCServer(broker *goplugin.GRPCBroker, server *grpc.Server) error {
	conformancev1.RegisterProbeServiceServer(server, probe.NewServer(Adapt(broker), p.Version))
	return nil
}

// GRPCClient returns a *probe.Client.
func (p *Plugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return probe.NewClient(conn, Adapt(broker)), nil
}

// Handshake returns go-plugin's form of the cookie. Only peers without versioned plugin
// sets use version.
func Handshake(version int) goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  uint(version), // shared.ParseVersions refuses negative numbers
		MagicCookieKey:   shared.CookieKey,
		MagicCookieValue: shared.CookieValue,
	}
}

// Set returns the plugin set of one application version.
func Set(version int) goplugin.PluginSet {
	return goplugin.PluginSet{shared.PluginName: &Plugin{Version: version}}
}

// Serve configures a go-plugin plugin for versions.
func Serve(versions shared.Versions) *goplugin.ServeConfig {
	config := &goplugin.ServeConfig{GRPCServer: goplugin.DefaultGRPCServer}
	if versions.Legacy {
		version := versions.Numbers[0]
		config.HandshakeConfig, config.Plugins = Handshake(version), Set(version)
		return config
	}
	config.HandshakeConfig, config.VersionedPlugins = Handshake(0), versioned(versions)
	return config
}

// Client configures a go-plugin host for versions. The caller adds the command and all
// other settings.
func Client(versions shared.Versions) *goplugin.ClientConfig {
	config := &goplugin.ClientConfig{AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}}
	if versions.Legacy {
		version := versions.Numbers[0]
		config.HandshakeConfig, config.Plugins = Handshake(version), Set(version)
		return config
	}
	config.HandshakeConfig, config.VersionedPlugins = Handshake(0), versioned(versions)
	return config
}

func versioned(versions shared.Versions) map[int]goplugin.PluginSet {
	sets := make(map[int]goplugin.PluginSet, len(versions.Numbers))
	for _, version := range versions.Numbers {
		sets[version] = Set(version)
	}
	return sets
}

// Adapt gives go-plugin's broker the methods of the suite's common interface.
func Adapt(broker *goplugin.GRPCBroker) probe.Broker { return adapter{broker} }

type adapter struct {
	broker *goplugin.GRPCBroker
}

// NextID returns an unused ID.
func (a adapter) NextID() uint32 { return a.broker.NextId() }

// Dial abandons go-plugin's Dial, which takes no context, when ctx ends.
func (a adapter) Dial(ctx context.Context, id uint32) (probe.Conn, error) {
	type outcome struct {
		conn *grpc.ClientConn
		err  error
	}
	dialled := make(chan outcome, 1)
	go func() {
		conn, err := a.broker.Dial(id)
		dialled <- outcome{conn, err}
	}()
	select {
	case got := <-dialled:
		if got.err != nil {
			return nil, got.err
		}
		return got.conn, nil
	case <-ctx.Done():
		go func() {
			if late := <-dialled; late.conn != nil {
				_ = late.conn.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// errAccept stands for an error that go-plugin writes only to the global log.
var errAccept = errors.New("go-plugin does not accept at the ID; its log has the reason")

// Serve uses AcceptAndServe, the only function with go-plugin's TLS. It accepts before it
// asks for the server, so an ID announced by ready is safe from F22.
func (a adapter) Serve(ctx context.Context, id uint32, ready func(), register func(grpc.ServiceRegistrar)) error {
	accepted := false
	a.broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		server := grpc.NewServer(options...)
		register(server)
		context.AfterFunc(ctx, server.Stop)
		accepted = true
		ready()
		return server
	})
	if !accepted {
		return errAccept
	}
	return nil
}
