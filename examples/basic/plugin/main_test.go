package main

import (
	"log/slog"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// The plugin and its host run inside the test: calls cross a real socket,
// without a build or a process.
func TestPluginGreetsOverTheWire(t *testing.T) {
	plugintest.NoLeaks(t)
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	client := plugintest.Launch(t,
		host.Config{Handshake: greeter.Handshake, Versions: greeter.Versions},
		plugin.Config{
			Handshake:  greeter.Handshake,
			Versions:   greeter.Versions,
			Implements: greeter.Plugin.Bind(english{logger}),
		},
	)
	g, err := host.Dispense(t.Context(), client, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Greet(t.Context(), "Ada"); err != nil || got != "Hello, Ada!" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := g.Greet(t.Context(), ""); err == nil {
		t.Error("an empty name gave no error")
	}
}
