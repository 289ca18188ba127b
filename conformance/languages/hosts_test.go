package languages_test

import (
	"context"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/languages"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
)

// These are the names of the hosts.
const (
	ourHost   = "our host"
	theirHost = "go-plugin host"
)

// launched is a running plugin under a host on either library.
type launched struct {
	store kvv1.StoreServiceClient
	ping  func(ctx context.Context) error
	end   func(t *testing.T) // in order
	log   *shared.Output     // of the host, including the plugin's messages
}

// launcher launches a plugin, with or without mutual TLS.
type launcher func(t *testing.T, l languages.Language, mtls bool) launched

func hosts() map[string]launcher { return map[string]launcher{ourHost: ours, theirHost: theirs} }

func ours(t *testing.T, l languages.Language, mtls bool) launched {
	t.Helper()
	plugintest.NoLeaks(t)
	log := shared.NewOutput()
	interpreter, script := l.Command(t)
	cfg := host.Config{
		Handshake: languages.Handshake(),
		Versions:  languages.Versions(),
		Command:   host.Command(interpreter, script),
		Logger:    slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if mtls {
		cfg.AutoMTLS = host.MTLSRequired
	}
	client, err := host.Launch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Kill(context.Background()) })
	store, err := host.Dispense(t.Context(), client, languages.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	return launched{store: store, ping: client.Ping, log: log, end: func(t *testing.T) {
		t.Helper()
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if text := log.String(); text != "" {
			t.Errorf("logged above info: %s", text)
		}
	}}
}

func theirs(t *testing.T, l languages.Language, mtls bool) launched {
	t.Helper()
	log := shared.NewOutput()
	interpreter, script := l.Command(t)
	config := languages.TheirConfig()
	config.Cmd = exec.Command(interpreter, script)
	config.AutoMTLS = mtls
	config.Logger = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Debug})
	client := goplugin.NewClient(config)
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense(languages.PluginName)
	if err != nil {
		t.Fatal(err)
	}
	return launched{
		store: dispensed.(kvv1.StoreServiceClient),
		ping:  func(context.Context) error { return protocol.Ping() },
		log:   log,
		end: func(t *testing.T) {
			t.Helper()
			began := time.Now()
			client.Kill()
			if !client.Exited() {
				t.Error("the plugin still runs")
			}
			t.Logf("gone after %v", time.Since(began).Round(time.Millisecond))
		},
	}
}
