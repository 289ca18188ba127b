package plugin_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// serveDebug serves an echo in test mode until stop is called, which returns the result.
func serveDebug(t *testing.T, cfg plugin.Config) (data handshake.Reattach, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan handshake.Reattach, 1)
	served := make(chan error, 1)
	go func() { served <- plugin.ServeDebug(ctx, cfg, func(r handshake.Reattach) { ready <- r }) }()
	stopped := false
	stop = func() error {
		cancel()
		stopped = true
		return <-served
	}
	t.Cleanup(func() {
		if !stopped {
			_ = stop()
		}
	})
	select {
	case data = <-ready:
	case err := <-served:
		t.Fatalf("the plugin does not serve: %v", err)
	case <-within(t).Done():
		t.Fatal("the plugin is not ready")
	}
	return data, stop
}

var echoes = faketransport.Versions(&faketransport.Transport{Objects: map[string]faketransport.Object{
	"echo": func(_ context.Context, text string) (string, error) { return text, nil },
}}, 1, 2)

// passed is the data as a person pastes it.
func passed(t *testing.T, data handshake.Reattach) handshake.Reattach {
	t.Helper()
	text, err := handshake.FormatReattach(map[string]handshake.Reattach{"echo": data})
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := handshake.ParseReattach(text)
	if err != nil {
		t.Fatal(err)
	}
	return plugins["echo"]
}

func TestServeDebugServesHostsAndNoneOfThemEndsIt(t *testing.T) {
	plugintest.NoLeaks(t)
	t.Setenv(handshake.EnvClientCert, "of another host")
	data, stop := serveDebug(t, plugin.Config{Handshake: cookie, Versions: echoes})
	if !data.Test || data.Line.AppVersion != 2 {
		t.Errorf("announced %+v, want version 2 in test mode", data)
	}
	cfg := host.Config{Handshake: cookie, Versions: faketransport.Versions(new(faketransport.Transport), 1, 2)}
	var last *host.Client
	for name, end := range map[string]func(*host.Client) error{
		"Close": (*host.Client).Close,
		"Kill":  func(c *host.Client) error { return c.Kill(within(t)) },
		"none":  func(c *host.Client) error { last = c; return nil },
	} {
		client, err := host.Attach(within(t), cfg, passed(t, data))
		if err != nil {
			t.Fatal(err)
		}
		echo, err := host.Dispense(within(t), client, core.Define[*faketransport.Client]("echo"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := echo.Call(within(t), "hello"); err != nil || got != "hello" {
			t.Errorf("the answer is %q, %v", got, err)
		}
		if err := end(client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the end: %v", err)
	}
	select {
	case <-last.Done():
	case <-within(t).Done():
		t.Error("the attached host does not notice the end")
	}
}

func TestServeDebugRefusesAConfigurationThatCannotServe(t *testing.T) {
	ignore := func(handshake.Reattach) {}
	for name, test := range map[string]struct {
		cfg   plugin.Config
		ready func(handshake.Reattach)
		want  string
	}{
		"nothing":     {plugin.Config{}, ignore, "MagicCookieKey"},
		"no listener": {plugin.Config{Handshake: cookie, Versions: echoes}, nil, "ready is nil"},
		"no transport": {
			plugin.Config{Handshake: cookie, Versions: core.Versions{1: nil}}, ignore, "no transport",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := plugin.ServeDebug(t.Context(), test.cfg, test.ready); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}
