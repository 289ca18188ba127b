package greeter

import (
	"context"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Greeter1 is the interface of version 1, implemented by older plugins.
type Greeter1 interface {
	Greet(ctx context.Context, name string) (string, error)
}

// Plugin1 has the same name, and the type of older plugins.
var Plugin1 = core.DefineSides[Greeter1, Greeter](Plugin.Name())

// Versions1 are the versions of older programs.
var Versions1 = core.Versions{1: {netrpc.New(netrpc.Carry(Plugin1, newServer1, newClient1))}}

func newServer1(_ *netrpc.Broker, impl Greeter1) (any, error) { return &server1{impl}, nil }

// newEnglish1 runs in a current plugin.
func newEnglish1(_ *netrpc.Broker, impl Greeter) (any, error) { return &server1{english{impl}}, nil }

// newClient1 runs in the host: it returns the current interface.
func newClient1(_ *netrpc.Broker, c *netrpc.Client) (Greeter, error) { return &client1{c}, nil }

type server1 struct{ impl Greeter1 }

func (s *server1) Greet(ctx context.Context, name string, greeting *string) (err error) {
	*greeting, err = s.impl.Greet(ctx, name)
	return err
}

// client1 is a Greeter for a plugin of version 1.
type client1 struct{ rpc *netrpc.Client }

func (c *client1) Greet(ctx context.Context, name, language string) (string, error) {
	if language != English {
		return "", ErrLanguage
	}
	var greeting string
	err := c.rpc.Call(ctx, "Greet", name, &greeting)
	return greeting, err
}

// english adapts a plugin of version 2 to hosts of version 1.
type english struct{ impl Greeter }

func (e english) Greet(ctx context.Context, name string) (string, error) {
	return e.impl.Greet(ctx, name, English)
}
