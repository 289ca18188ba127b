// Package greet is the interface of the plugins launched by the discovery tests.
package greet

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Plugin is the greeter. Plugins implement a greeting, and hosts call a Client.
var Plugin = core.DefineSides[string, *Client]("greeter")

// Handshake lets a plugin recognize its host.
var Handshake = core.Handshake{MagicCookieKey: "DISCOVERY_GREETER", MagicCookieValue: "8d0f"}

// Versions offers the greeter under each of the protocol versions.
func Versions(numbers ...int) core.Versions {
	versions := make(core.Versions, len(numbers))
	for _, number := range numbers {
		versions[number] = []core.Transport{netrpc.New(netrpc.Carry(Plugin, newServer, newClient))}
	}
	return versions
}

func newServer(_ *netrpc.Broker, greeting string) (any, error) { return &server{greeting}, nil }

func newClient(_ *netrpc.Broker, c *netrpc.Client) (*Client, error) { return &Client{c}, nil }

type server struct{ greeting string }

func (s *server) Greet(_ context.Context, name string, answer *string) error {
	*answer = s.greeting + ", " + name
	return nil
}

// Client is the host's end.
type Client struct{ rpc *netrpc.Client }

// Greet calls the plugin.
func (c *Client) Greet(ctx context.Context, name string) (string, error) {
	var answer string
	err := c.rpc.Call(ctx, "Greet", name, &answer)
	return answer, err
}
