// Package greeter is what the host and its plugins agree on: the interface, how
// it crosses the wire, and how the two know each other. An application keeps such
// a package where plugin authors can import it.
package greeter

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Greeter is the application's interface: the host calls it, a plugin
// implements it.
type Greeter interface {
	Greet(ctx context.Context, name string) (string, error)
}

// Name is the name by which the greeter is dispensed.
const Name = "greeter"

// Handshake is how a plugin knows that a greeting host started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_GREETER_PLUGIN",
	MagicCookieValue: "3f1b7c52",
}

// Versions are the protocol versions of the application, each with what carries
// the calls. A plugin passes its implementation, a host nil.
func Versions(impl Greeter) core.Versions {
	return core.Versions{
		1: {netrpc.New(netrpc.PluginSet{Name: greeterPlugin{impl}})},
	}
}

// greeterPlugin makes both ends of the wire.
type greeterPlugin struct{ impl Greeter }

// Server runs in the plugin: its methods are what the host can call.
func (p greeterPlugin) Server(*netrpc.Broker) (any, error) { return &server{p.impl}, nil }

// Client runs in the host: it is the interface again.
func (greeterPlugin) Client(_ *netrpc.Broker, c *netrpc.Client) (any, error) { return &client{c}, nil }

type server struct{ impl Greeter }

func (s *server) Greet(ctx context.Context, name string, greeting *string) (err error) {
	*greeting, err = s.impl.Greet(ctx, name)
	return err
}

type client struct{ rpc *netrpc.Client }

func (c *client) Greet(ctx context.Context, name string) (string, error) {
	var greeting string
	err := c.rpc.Call(ctx, "Greet", name, &greeting)
	return greeting, err
}
