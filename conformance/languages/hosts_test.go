package languages_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// What the plugins expect of their host.
const (
	cookieKey   = "JACKFIELD_KV_PLUGIN"
	cookieValue = "c04d2f1e"
	name        = "store"
)

// launched is a plugin under a host on either library.
type launched struct {
	store kvv1.StoreServiceClient
	ping  func(ctx context.Context) error
	end   func(t *testing.T) // in order
}

// launcher launches a plugin, with mutual TLS or without.
type launcher func(t *testing.T, l language, mtls bool) launched

var hosts = map[string]launcher{"our host": ours, "go-plugin host": theirs}

func ours(t *testing.T, l language, mtls bool) launched {
	t.Helper()
	plugintest.NoLeaks(t)
	var log lockedBuffer
	interpreter, script := l.command(t)
	cfg := host.Config{
		Handshake: core.Handshake{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Versions: core.Versions{1: {transportgrpc.New(transportgrpc.PluginSet{
			name: transportgrpc.Service(kvv1.RegisterStoreServiceServer, kvv1.NewStoreServiceClient, nil),
		})}},
		Command: host.Command(interpreter, script),
		Logger:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if mtls {
		cfg.AutoMTLS = host.MTLSRequired
	}
	client, err := host.Launch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Kill(context.Background()) })
	store, err := host.Dispense[kvv1.StoreServiceClient](t.Context(), client, name)
	if err != nil {
		t.Fatal(err)
	}
	return launched{store: store, ping: client.Ping, end: func(t *testing.T) {
		t.Helper()
		if err := client.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if text := log.String(); text != "" {
			t.Errorf("logged above info: %s", text)
		}
	}}
}

// lockedBuffer is a bytes.Buffer for more than one goroutine.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type theirPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (theirPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (theirPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return kvv1.NewStoreServiceClient(conn), nil
}

func theirs(t *testing.T, l language, mtls bool) launched {
	t.Helper()
	interpreter, script := l.command(t)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Plugins:          goplugin.PluginSet{name: theirPlugin{}},
		Cmd:              exec.Command(interpreter, script),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         mtls,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense(name)
	if err != nil {
		t.Fatal(err)
	}
	return launched{
		store: dispensed.(kvv1.StoreServiceClient),
		ping:  func(context.Context) error { return protocol.Ping() },
		end: func(t *testing.T) {
			t.Helper()
			began := time.Now()
			client.Kill()
			if !client.Exited() {
				t.Error("the plugin is still there")
			}
			t.Logf("gone after %v", time.Since(began).Round(time.Millisecond))
		},
	}
}
