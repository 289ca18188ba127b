// Package counter is shared by a host and its plugins. The plugin calls back:
// the host passes its own interface, and an io.Reader, into a call.
package counter

import (
	"context"
	"io"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Counter is implemented by plugins.
type Counter interface {
	// Add adds n to the count under key. The adder computes the sum.
	Add(ctx context.Context, key string, n int, adder Adder) (int, error)
	// CountWords counts the words in r, a reader of the host.
	CountWords(ctx context.Context, r io.Reader) (int, error)
}

// Adder is implemented by the host and called by the plugin.
type Adder interface {
	Sum(ctx context.Context, a, b int) (int, error)
}

// Plugin is the name of the counter and its type, for hosts and plugins.
var Plugin = core.Define[Counter]("counter")

// Handshake identifies a counting host to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_COUNTER_PLUGIN",
	MagicCookieValue: "91ac04de",
}

// Versions are the protocol versions of the application.
var Versions = core.Versions{
	1: {netrpc.New(netrpc.Carry(Plugin, newServer, newClient))},
}

// newServer runs in the plugin. Both sides keep the broker; it carries the adder and the reader.
func newServer(b *netrpc.Broker, impl Counter) (any, error) { return &server{impl, b}, nil }

// newClient runs in the host.
func newClient(b *netrpc.Broker, c *netrpc.Client) (Counter, error) { return &client{c, b}, nil }
