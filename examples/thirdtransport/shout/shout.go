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

// Name is the name by which the shouter is dispensed.
const Name = "shout"

// Handshake is how a plugin knows that a shouting host started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_SHOUT_PLUGIN",
	MagicCookieValue: "2b95e6f8",
}

// Versions are the protocol versions of the application. A plugin passes its
// implementation, a host nil.
func Versions(impl Shouter) core.Versions {
	plugin := jsonlines.Plugin{Client: func(c *jsonlines.Client) any { return &client{c} }}
	if impl != nil {
		plugin.Methods = map[string]jsonlines.Method{"Shout": jsonlines.Func(impl.Shout)}
	}
	return core.Versions{1: {jsonlines.New(map[string]jsonlines.Plugin{Name: plugin})}}
}

// client is the Shouter in the host.
type client struct{ rpc *jsonlines.Client }

func (c *client) Shout(ctx context.Context, text string) (shouted string, err error) {
	err = c.rpc.Call(ctx, "Shout", text, &shouted)
	return shouted, err
}
