// Package transporttest is the suite for every transport, ours or not: it tries
// the requirements of hosts and plugins on real processes.
//
// A transport's test package gives the suite a [Suite] and re-runs its own test
// binary as the plugin:
//
//	var suite = transporttest.Suite{Transport: netrpc.New(netrpc.Carry(transporttest.Plugin, newServer, newClient))}
//
//	func TestMain(m *testing.M)        { os.Exit(suite.Main(m)) }
//	func TestTransport(t *testing.T)   { suite.Run(t) }
package transporttest

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// Plugin is the plugin carried by the transport in the suite.
var Plugin = core.Define[Probe]("probe")

// pluginVariable makes a test binary serve as a plugin.
const pluginVariable = "JACKFIELD_TRANSPORTTEST_PLUGIN"

// The suite's releases of host and plugin, and their requirements of each other.
const (
	hostVersion   = "2.1.0"
	requiresHost  = ">= 2, < 3"
	pluginVersion = "1.4.2"
	required      = "~> 1.4"
)

// patience limits each step, so that none hangs.
const patience = 20 * time.Second

var cookie = core.Handshake{MagicCookieKey: "JACKFIELD_TRANSPORTTEST", MagicCookieValue: "probe"}

// Suite describes the transport under test.
type Suite struct {
	// Transport carries [Plugin].
	Transport core.Transport
	// NoCallbacks disables the tests of Ask and Copy, for a transport that
	// cannot carry functions, readers and writers of the host.
	NoCallbacks bool
}

// Main is the body of TestMain. In a process started by the suite it serves the
// plugin; in any other it runs the tests. It returns the exit status.
func (s Suite) Main(m *testing.M) int {
	if os.Getenv(pluginVariable) == "" {
		return m.Run()
	}
	served := new(processProbe)
	plugin.Serve(plugin.Config{
		Handshake:  cookie,
		Versions:   s.versions(),
		Implements: Plugin.Bind(served),
		OnShutdown: []func(context.Context){served.shutdown},

		Info:        plugin.Info{Version: pluginVersion},
		RequireHost: requiresHost,
	})
	return 0
}

func (s Suite) versions() core.Versions { return core.Versions{1: {s.Transport}} }

// Run runs the suite: over a plain connection, under mutual TLS, and with host
// and plugin in one process, plainly and under their own TLS.
func (s Suite) Run(t *testing.T) {
	t.Run("process", func(t *testing.T) {
		s.run(t, func(t *testing.T) *fixture { return s.launch(t, host.Config{}) })
	})
	t.Run("process under TLS", func(t *testing.T) {
		s.run(t, func(t *testing.T) *fixture { return s.launch(t, host.Config{AutoMTLS: host.MTLSRequired}) })
	})
	t.Run("process of another release", func(t *testing.T) { s.refuse(t) })
	t.Run("in process", func(t *testing.T) {
		s.runCalls(t, func(t *testing.T) *fixture { return s.launchInProcess(t, host.Config{}, plugin.Config{}) })
	})
	t.Run("in process under TLS of their own", func(t *testing.T) {
		s.runCalls(t, func(t *testing.T) *fixture {
			hosts, plugins := ownTLS(t)
			return s.launchInProcess(t, host.Config{TLS: hosts}, plugin.Config{TLS: plugins})
		})
	})
}

// run tries everything on a plugin process.
func (s Suite) run(t *testing.T, launch func(*testing.T) *fixture) {
	s.runCalls(t, launch)
	for name, test := range lifeTests {
		t.Run(name, func(t *testing.T) { test(t, launch(t)) })
	}
}

// runCalls runs the tests that do not depend on a process.
func (s Suite) runCalls(t *testing.T, launch func(*testing.T) *fixture) {
	for name, test := range callTests {
		t.Run(name, func(t *testing.T) { test(t, launch(t)) })
	}
	if s.NoCallbacks {
		return
	}
	for name, test := range callbackTests {
		t.Run(name, func(t *testing.T) { test(t, launch(t)) })
	}
}

// fixture is a launched plugin.
type fixture struct {
	client         *host.Client
	probe          Probe
	stdout, stderr *buffer
	log            *buffer
	pid            string
	secured        bool
}

func (s Suite) launch(t *testing.T, cfg host.Config) *fixture {
	t.Helper()
	f, cfg := s.prepare(t, cfg)
	cfg.Command, cfg.Require = command(t), required
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := host.Launch(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Kill(context.WithoutCancel(ctx)) })
	f.dispense(t, client)
	return f
}

// command is that of the plugin's process.
func command(t *testing.T) host.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := host.Command(executable)
	// The race detector's second of sleep at exit would count as the plugin's.
	cmd.Env = []string{pluginVariable + "=1", "GORACE=atexit_sleep_ms=0"}
	return cmd
}

func (s Suite) launchInProcess(t *testing.T, cfg host.Config, served plugin.Config) *fixture {
	t.Helper()
	f, cfg := s.prepare(t, cfg)
	served.Handshake, served.Versions, served.Implements = cookie, s.versions(), Plugin.Bind(probe{})
	f.dispense(t, plugintest.Launch(t, cfg, served))
	return f
}

// ownTLS makes the providers of a host and a plugin with certificates of their
// own; the plugin's certificate has a name of its own.
func ownTLS(t *testing.T) (hosts, plugins core.TLSProvider) {
	t.Helper()
	hostIdentity, hostCertificate := identity(t)
	pluginIdentity, pluginCertificate := identity(t)
	provider := func(own *tlsutil.Identity, peer *x509.Certificate) core.TLSProvider {
		return func(context.Context) (*core.TLS, error) {
			provided := &core.TLS{Client: tlsutil.Client(own, peer), Server: tlsutil.Server(own, peer)}
			provided.Client.ServerName = "plugin.test"
			return provided, nil
		}
	}
	return provider(hostIdentity, pluginCertificate), provider(pluginIdentity, hostCertificate)
}

func identity(t *testing.T) (*tlsutil.Identity, *x509.Certificate) {
	t.Helper()
	made, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tlsutil.ParseDER(made.DER())
	if err != nil {
		t.Fatal(err)
	}
	return made, certificate
}

func (s Suite) prepare(t *testing.T, cfg host.Config) (*fixture, host.Config) {
	t.Helper()
	plugintest.NoLeaks(t)
	f := &fixture{stdout: newBuffer(), stderr: newBuffer(), log: newBuffer(), secured: cfg.AutoMTLS != host.MTLSOff}
	cfg.Handshake = cookie
	cfg.HostVersion = hostVersion
	cfg.Versions = s.versions()
	cfg.Outputs.PrintedStdout, cfg.Outputs.PrintedStderr = f.stdout, f.stderr
	cfg.Logger = slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return f, cfg
}

func (f *fixture) dispense(t *testing.T, client *host.Client) {
	t.Helper()
	var err error
	if f.probe, err = host.Dispense(within(t), client, Plugin); err != nil {
		t.Fatal(err)
	}
	f.client, f.pid = client, client.ID()
}

// within returns a context with a timeout, so that the test does not hang.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// buffer is a bytes.Buffer for more than one goroutine.
type buffer struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed by the next Write
}

func newBuffer() *buffer { return &buffer{changed: make(chan struct{})} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
	return b.text.Write(p)
}

// await waits until text has been written.
func (b *buffer) await(t *testing.T, text string) {
	t.Helper()
	ctx := within(t)
	for {
		b.mu.Lock()
		found, changed := strings.Contains(b.text.String(), text), b.changed
		b.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%q was not written", text)
		}
	}
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
