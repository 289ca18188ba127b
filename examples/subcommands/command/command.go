// Package command is shared by the program and its plugins: a subcommand, its wire
// format, and the handshake.
package command

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Command is a subcommand. A plugin implements it, and prints as any program does.
type Command interface {
	// Run runs the command with its arguments, and returns its exit status.
	Run(ctx context.Context, args []string) (status int, err error)
}

// App is the program's name. Its plugins are called desk-plugin-<name>.
const App = "desk"

// Plugin is the name of the subcommand and its type, for the program and its plugins.
var Plugin = core.Define[Command]("command")

// Handshake identifies the program to its plugins.
var Handshake = core.Handshake{MagicCookieKey: "DESK_PLUGIN", MagicCookieValue: "c04d7a19"}

// Versions are the protocol versions of the program.
var Versions = core.Versions{1: {netrpc.New(netrpc.Carry(Plugin, newServer, newClient))}}

func newServer(_ *netrpc.Broker, impl Command) (any, error) { return &server{impl}, nil }

func newClient(_ *netrpc.Broker, c *netrpc.Client) (Command, error) { return &client{c}, nil }

type server struct{ impl Command }

func (s *server) Run(ctx context.Context, args []string, status *int) (err error) {
	*status, err = s.impl.Run(ctx, args)
	return err
}

type client struct{ rpc *netrpc.Client }

func (c *client) Run(ctx context.Context, args []string) (status int, err error) {
	err = c.rpc.Call(ctx, "Run", args, &status)
	return status, err
}
