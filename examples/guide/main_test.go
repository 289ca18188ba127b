package guide_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
)

// TestMain serves the greeter or the store if a test has started this binary as its plugin. It also
// answers a request to describe itself. For another test it is a host.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(hostVariable) != "":
		hostMain()
	case os.Getenv(greeter.Handshake.MagicCookieKey) != "", slices.Equal(os.Args[1:], []string{"describe"}):
		serveWithHooks()
	case os.Getenv(kv.Handshake.MagicCookieKey) != "":
		serveStore()
	default:
		os.Exit(m.Run())
	}
}

// pluginPath is the plugin of the tests in this package: their own binary.
func pluginPath(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// launch launches the plugin, and ends it with the test.
func launch(t *testing.T, cfg host.Config) *host.Client {
	t.Helper()
	cfg.Handshake = greeter.Handshake
	cfg.Versions = greeter.Versions
	if cfg.Command.Path == "" {
		cfg.Command.Path = pluginPath(t)
	}
	if cfg.Timeouts.Stop == 0 {
		cfg.Timeouts.Stop = 20 * time.Second // the race detector alone takes a second to leave
	}
	cfg.AutoMTLS = host.MTLSRequired
	client, err := host.Launch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Kill(context.WithoutCancel(t.Context())) })
	return client
}

// polite is the plugin's implementation.
type polite struct{ log *slog.Logger }

func (p polite) Greet(_ context.Context, name string) (string, error) {
	p.log.Info("asked", "name", name)
	if name == "crash" {
		os.Exit(3)
	}
	return "Good day, " + name, nil
}
