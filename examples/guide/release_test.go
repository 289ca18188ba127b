package guide_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

var version = "1.5.0" // go build -ldflags="-X main.version=1.5.1"

func TestReleaseOfThePluginIsKnown(t *testing.T) {
	plugintest.NoLeaks(t)
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	cfg := host.Config{
		Handshake:   greeter.Handshake,
		Versions:    greeter.Versions,
		Require:     ">= 1.4, < 2", // of the plugin
		HostVersion: "2.1.0",       // of this application, for plugins that require one
	}
	served := plugin.Config{
		Handshake:   greeter.Handshake,
		Versions:    greeter.Versions,
		Implements:  greeter.Plugin.Bind(polite{log}),
		Info:        plugin.Info{Version: version},
		RequireHost: ">= 2, < 3", // of the application
	}
	client := plugintest.Launch(t, cfg, served)

	info := client.Info()
	log.Info("greeter runs", "version", info.Version, "build", info.Build, "library", info.Library, "pid", info.PID)

	if got := text.String(); !strings.Contains(got, "version=1.5.0") || !strings.Contains(got, "library=jackfield") {
		t.Errorf("logged %s", got)
	}
}

func TestReleaseThatDoesNotFitIsRefused(t *testing.T) {
	_, err := host.Launch(t.Context(), host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Command(pluginPath(t)),
		Require:   ">= 99",
	})
	var refusal *core.RequirementError
	if !errors.As(err, &refusal) || refusal.Side != "host" || refusal.Got != "" {
		t.Errorf("got %v, want a core.RequirementError of a plugin without a version", err)
	}
}
