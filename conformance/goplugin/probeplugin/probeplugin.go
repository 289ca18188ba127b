// Package probeplugin puts the probe of package shared onto hashicorp/go-plugin,
// for hosts and plugins built on that library.
package probeplugin

import (
	"fmt"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// Plugin is go-plugin's description of the probe, both halves. A host needs no
// Factory.
type Plugin struct {
	Factory *shared.Factory
}

var _ goplugin.Plugin = (*Plugin)(nil)

// Server returns a new instance for each Dispense.
func (p *Plugin) Server(broker *goplugin.MuxBroker) (any, error) {
	if p.Factory == nil {
		return nil, fmt.Errorf("the probe of a host cannot be served")
	}
	return p.Factory.New(broker), nil
}

// Client returns a *shared.Probe.
func (p *Plugin) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	return shared.NewProbe(shared.NetRPC(client), broker), nil
}

// Handshake returns go-plugin's form of the cookie. version counts only for
// peers without versioned plugin sets.
func Handshake(version int) goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  uint(version), // ParseVersions takes no negative number
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

// Client configures a go-plugin host for versions; what to run, and every other
// setting, is the caller's to add.
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
