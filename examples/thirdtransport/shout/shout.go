// Package shout is what a host and its plugins agree on where a transport of their
// own carries the calls. To core it is a transport like the others.
package shout

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/examples/thirdtransport/jsonlines"
)

// Shouter is what a plugin implements.
type Shouter interface {
	Shout(ctx context.Context, text string) (string, error)
}

// Plugin is the name of the shouter and its type, for hosts and plugins.
var Plugin = core.Define[Shouter]("shout")

// Handshake is how a plugin knows that a shouting host started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_SHOUT_PLUGIN",
	MagicCookieValue: "2b95e6f8",
}

// Versions are the protocol versions of the application.
var Versions = core.Versions{1: {jsonlines.New(jsonlines.Carry(Plugin, methods, newClient))}}

// methods are what a plugin answers.
func methods(impl Shouter) map[string]jsonlines.Method {
	return map[string]jsonlines.Method{"Shout": jsonlines.Func(impl.Shout)}
}

func newClient(c *jsonlines.Client) Shouter { return &client{c} }

// client is the Shouter in the host.
type client struct{ rpc *jsonlines.Client }

func (c *client) Shout(ctx context.Context, text string) (shouted string, err error) {
	err = c.rpc.Call(ctx, "Shout", text, &shouted)
	return shouted, err
}
