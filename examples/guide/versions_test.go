package guide_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// The plugin has the same name in both versions. Its interface has changed.
var (
	greeter1 = core.Define[Greeter1]("greeter")
	greeter2 = core.Define[Greeter2]("greeter")
)

// twoVersions supports plugins of both generations.
var twoVersions = core.Versions{
	1: {netrpc.New(netrpc.Carry(greeter1, newServer1, newClient1))},
	2: {netrpc.New(netrpc.Carry(greeter2, newServer2, newClient2))},
}

// greet greets with a plugin of either version.
func greet(ctx context.Context, client *host.Client, name, language string) (string, error) {
	if client.NegotiatedVersion() == 1 {
		g, err := host.Dispense(ctx, client, greeter1)
		if err != nil {
			return "", err
		}
		return g.Greet(ctx, name)
	}
	g, err := host.Dispense(ctx, client, greeter2)
	if err != nil {
		return "", err
	}
	return g.Greet(ctx, name, language)
}

// The interfaces of the application, by version.
type (
	Greeter1 interface {
		Greet(ctx context.Context, name string) (string, error)
	}

	Greeter2 interface {
		Greet(ctx context.Context, name, language string) (string, error)
	}
)

// greetings are the plugins, by the Go type of their version.
type (
	greetings1 struct{}
	greetings2 struct{}
)

func (greetings1) Greet(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

func (greetings2) Greet(_ context.Context, name, language string) (string, error) {
	return language + ": " + name, nil
}

type server1 struct{ impl Greeter1 }

func (s *server1) Greet(ctx context.Context, name string, reply *string) (err error) {
	*reply, err = s.impl.Greet(ctx, name)
	return err
}

type server2 struct{ impl Greeter2 }

func (s *server2) Greet(ctx context.Context, args [2]string, reply *string) (err error) {
	*reply, err = s.impl.Greet(ctx, args[0], args[1])
	return err
}

type client1 struct{ rpc *netrpc.Client }

func (c *client1) Greet(ctx context.Context, name string) (reply string, err error) {
	err = c.rpc.Call(ctx, "Greet", name, &reply)
	return reply, err
}

type client2 struct{ rpc *netrpc.Client }

func (c *client2) Greet(ctx context.Context, name, language string) (reply string, err error) {
	err = c.rpc.Call(ctx, "Greet", [2]string{name, language}, &reply)
	return reply, err
}

func newServer1(_ *netrpc.Broker, impl Greeter1) (any, error) { return &server1{impl}, nil }

func newServer2(_ *netrpc.Broker, impl Greeter2) (any, error) { return &server2{impl}, nil }

func newClient1(_ *netrpc.Broker, c *netrpc.Client) (Greeter1, error) { return &client1{c}, nil }

func newClient2(_ *netrpc.Broker, c *netrpc.Client) (Greeter2, error) { return &client2{c}, nil }

func TestVersionsOfTwoGenerations(t *testing.T) {
	old, current := greeter1.Bind(greetings1{}), greeter2.Bind(greetings2{})
	for name, c := range map[string]struct {
		implements core.Implementations
		want       string
	}{
		"of the old generation": {old, "Hello, Ada"},
		"of the new generation": {current, "en: Ada"},
		"of both":               {slices.Concat(old, current), "en: Ada"},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			client := plugintest.Launch(t,
				host.Config{Handshake: greeter.Handshake, Versions: twoVersions},
				plugin.Config{Handshake: greeter.Handshake, Versions: twoVersions, Implements: c.implements})
			if got, err := greet(t.Context(), client, "Ada", "en"); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// A plugin with another version's type gives an error instead of a client.
func TestVersionsRefuseThePluginOfAnotherVersion(t *testing.T) {
	plugintest.NoLeaks(t)
	client := plugintest.Launch(t,
		host.Config{Handshake: greeter.Handshake, Versions: twoVersions},
		plugin.Config{Handshake: greeter.Handshake, Versions: twoVersions, Implements: greeter2.Bind(greetings2{})})
	_, err := host.Dispense(t.Context(), client, greeter1)
	var wrong *core.TypeError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("got %v, want a core.TypeError with the negotiated version", err)
	}
}

// A host may learn the name of a plugin at run time.
func TestDispenseByANameKnownAtRunTimeOnly(t *testing.T) {
	client := launch(t, host.Config{})
	name := strings.ToLower("GREETER")

	g, err := host.Dispense(t.Context(), client, core.Define[greeter.Greeter](name))

	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Greet(t.Context(), "Ada"); err != nil || got != "Good day, Ada" {
		t.Errorf("got %q, %v", got, err)
	}
}
