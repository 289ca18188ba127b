package greeter

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Greeter1 is the interface of version 1, which plugins of that time implement.
type Greeter1 interface {
	Greet(ctx context.Context, name string) (string, error)
}

// Version1 is the transport of version 1. Programs of that time have it alone.
func Version1(impl Greeter1) core.Transport {
	return netrpc.New(netrpc.PluginSet{Name: greeter1Plugin{impl}})
}

type greeter1Plugin struct{ impl Greeter1 }

func (p greeter1Plugin) Server(*netrpc.Broker) (any, error) { return &server1{p.impl}, nil }

// Client runs in the host: it makes the interface of today.
func (greeter1Plugin) Client(_ *netrpc.Broker, c *netrpc.Client) (any, error) {
	return &client1{c}, nil
}

type server1 struct{ impl Greeter1 }

func (s *server1) Greet(ctx context.Context, name string, greeting *string) (err error) {
	*greeting, err = s.impl.Greet(ctx, name)
	return err
}

// client1 is a Greeter with a plugin of version 1 behind it.
type client1 struct{ rpc *netrpc.Client }

func (c *client1) Greet(ctx context.Context, name, language string) (string, error) {
	if language != English {
		return "", ErrLanguage
	}
	var greeting string
	err := c.rpc.Call(ctx, "Greet", name, &greeting)
	return greeting, err
}

// english is a plugin of version 2 as hosts of version 1 see it.
type english struct{ impl Greeter }

func (e english) Greet(ctx context.Context, name string) (string, error) {
	return e.impl.Greet(ctx, name, English)
}
