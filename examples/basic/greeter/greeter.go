// Package greeter is shared by the host and its plugins: the interface, its
// wire format, and the handshake. An application keeps this package in a module
// that plugin authors can import.
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

// Plugin is the name of the greeter and its type, for hosts and plugins.
var Plugin = core.Define[Greeter]("greeter")

// Handshake identifies a greeting host to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_GREETER_PLUGIN",
	MagicCookieValue: "3f1b7c52",
}

// Versions are the protocol versions of the application, each with its
// transports.
var Versions = core.Versions{
	1: {netrpc.New(netrpc.Carry(Plugin, newServer, newClient))},
}

// newServer runs in the plugin: the host can call the methods of the server.
func newServer(_ *netrpc.Broker, impl Greeter) (any, error) { return &server{impl}, nil }

// newClient runs in the host: the client is the interface again.
func newClient(_ *netrpc.Broker, c *netrpc.Client) (Greeter, error) { return &client{c}, nil }

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
