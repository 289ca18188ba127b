// Package counter is what a host and its plugins agree on where the plugin calls
// back: the host passes an interface of its own, and an io.Reader, into a call.
package counter

import (
	"context"
	"io"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Counter is what a plugin implements.
type Counter interface {
	// Add puts n on top of what is counted under key. The sum is the adder's.
	Add(ctx context.Context, key string, n int, adder Adder) (int, error)
	// CountWords counts the words in r, which the host has.
	CountWords(ctx context.Context, r io.Reader) (int, error)
}

// Adder is what the host implements, for the plugin to call.
type Adder interface {
	Sum(ctx context.Context, a, b int) (int, error)
}

// Plugin is the name of the counter and its type, for hosts and plugins.
var Plugin = core.Define[Counter]("counter")

// Handshake is how a plugin knows that a counting host started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_COUNTER_PLUGIN",
	MagicCookieValue: "91ac04de",
}

// Versions are the protocol versions of the application.
var Versions = core.Versions{
	1: {netrpc.New(netrpc.Carry(Plugin, newServer, newClient))},
}

// newServer runs in the plugin. Both sides keep the broker, through which the adder
// and the reader go.
func newServer(b *netrpc.Broker, impl Counter) (any, error) { return &server{impl, b}, nil }

// newClient runs in the host.
func newClient(b *netrpc.Broker, c *netrpc.Client) (Counter, error) { return &client{c, b}, nil }
