// Package probeplugin adapts the probe of package shared to hashicorp/go-plugin, for hosts
// and plugins built on that library.
package probeplugin

import (
	"fmt"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// Plugin is go-plugin's description of both halves of the probe. A host needs no Factory.
type Plugin struct {
	Factory *shared.Factory
}

var _ goplugin.Plugin = (*Plugin)(nil)

// Server returns a new instance for each Dispense.
func (p *Plugin) Server(broker *goplugin.MuxBroker) (any, error) {
	if p.Factory == nil {
		return nil, fmt.Errorf("a host's probe has no server")
	}
	return p.Factory.New(broker), nil
}

// Client returns a *shared.Probe.
func (p *Plugin) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	return shared.NewProbe(shared.NetRPC(client), broker), nil
}

// Handshake returns go-plugin's form of the cookie. Only peers without versioned plugin
// sets use version.
func Handshake(version int) goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  uint(version), // ParseVersions refuses negative numbers
		MagicCookieKey:   shared.CookieKey,
		MagicCookieValue: shared.CookieValue,
	}
}

// Set returns the plugin set of one application version.
func Set(version int) goplugin.PluginSet {
	return goplugin.PluginSet{
		shared.PluginName: &Plugin{Factory: &shared.Factory{Version: version}},
	}
}

// Serve configures a go-plugin plugin for versions.
func Serve(versions shared.Versions) *goplugin.ServeConfig {
	if versions.Legacy {
		version := versions.Numbers[0]
		return &goplugin.ServeConfig{HandshakeConfig: Handshake(version), Plugins: Set(version)}
	}
	return &goplugin.ServeConfig{HandshakeConfig: Handshake(0), VersionedPlugins: versioned(versions)}
}

// Client configures a go-plugin host for versions. The caller adds the command and all
// other settings.
func Client(versions shared.Versions) *goplugin.ClientConfig {
	if versions.Legacy {
		version := versions.Numbers[0]
		return &goplugin.ClientConfig{HandshakeConfig: Handshake(version), Plugins: Set(version)}
	}
	return &goplugin.ClientConfig{HandshakeConfig: Handshake(0), VersionedPlugins: versioned(versions)}
}

func versioned(versions shared.Versions) map[int]goplugin.PluginSet {
	sets := make(map[int]goplugin.PluginSet, len(versions.Numbers))
	for _, version := range versions.Numbers {
		sets[version] = Set(version)
	}
	return sets
}
