package plugin_test

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestRunRefusesAConfigurationThatCannotWork(t *testing.T) {
	tests := map[string]struct {
		change func(*plugin.Config)
		says   string
	}{
		"no cookie":        {func(c *plugin.Config) { c.Handshake = core.Handshake{} }, "MagicCookieKey"},
		"no versions":      {func(c *plugin.Config) { c.Versions = nil }, "Versions is empty"},
		"negative version": {func(c *plugin.Config) { c.Versions = core.Versions{-1: {new(faketransport.Transport)}} }, "negative"},
		"unknown network":  {func(c *plugin.Config) { c.Network = "pigeon" }, `"pigeon"`},
		"no constraint":    {func(c *plugin.Config) { c.RequireHost = "=> 2" }, `RequireHost is "=> 2"`},
		"negative timeout": {func(c *plugin.Config) { c.ShutdownTimeout = -time.Second }, "ShutdownTimeout"},
		"negative bound":   {func(c *plugin.Config) { c.ConnectionTimeout = -time.Second }, "ConnectionTimeout"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := config(new(faketransport.Transport))
			test.change(&cfg)
			mention(t, refuse(t, surround(nil), cfg), test.says)
		})
	}
}

func TestRunRefusesAWrongCookie(t *testing.T) {
	for name, test := range map[string]struct {
		value   string
		missing bool
	}{"missing": {"", true}, "wrong": {"biscuits", false}} {
		t.Run(name, func(t *testing.T) {
			s := surround(map[string]string{cookie.MagicCookieKey: test.value})
			if test.missing {
				delete(s.variables, cookie.MagicCookieKey)
			}
			err := refuse(t, s, config(new(faketransport.Transport)))
			var wrong *core.CookieError
			if !errors.As(err, &wrong) || wrong.Key != cookie.MagicCookieKey || wrong.Missing != test.missing {
				t.Fatalf("got %v", err)
			}
			mention(t, err, "not meant to be run by hand", cookie.MagicCookieKey)
		})
	}
}

func TestRunReportsATransportThatCannotListen(t *testing.T) {
	plugintest.NoLeaks(t)
	broken := errors.New("no objects")
	err := refuse(t, surround(map[string]string{handshake.EnvSocketDir: testkit.ShortDir(t)}), config(&faketransport.Transport{Failure: broken}))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	mention(t, err, "fake")
}

func TestHandshakeLineHasSixFieldsUnlessMoreWereAskedFor(t *testing.T) {
	tests := map[string]struct {
		variables map[string]string
		extra     []string
		fields    int
		version   int
	}{
		"no list":                      {nil, nil, 6, 2},
		"a common version":             {map[string]string{handshake.EnvProtocolVersions: "1,3,2,9"}, nil, 6, 3},
		"bad items are skipped":        {map[string]string{handshake.EnvProtocolVersions: "x, 3,2"}, nil, 6, 2},
		"none in common":               {map[string]string{handshake.EnvProtocolVersions: "8"}, nil, 6, 2},
		"the transport's":              {map[string]string{handshake.EnvProtocolVersions: "3"}, []string{"true"}, 7, 3},
		"versions not asked for":       {map[string]string{handshake.EnvProtocolVersions: "8"}, []string{"true"}, 7, 2},
		"asked for, and one in common": {map[string]string{handshake.EnvProtocolVersions: "3", handshake.EnvFields: "versions"}, nil, 6, 3},
		"asked for, and none":          {map[string]string{handshake.EnvProtocolVersions: "8", handshake.EnvFields: "versions"}, nil, 8, 2},
		"behind the transport's":       {map[string]string{handshake.EnvProtocolVersions: "8", handshake.EnvFields: "versions"}, []string{"true"}, 8, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := run(t, surround(test.variables), config(&faketransport.Transport{Extra: test.extra}, 2, 3))
			if !strings.HasSuffix(r.line, "\n") || strings.Count(r.line, "\n") != 1 {
				t.Errorf("line %q", r.line)
			}
			if n := strings.Count(r.line, "|") + 1; n != test.fields {
				t.Errorf("%d fields, want %d: %q", n, test.fields, r.line)
			}
			line := r.parsed(t)
			if line.AppVersion != test.version || line.Protocol != "fake" {
				t.Errorf("line %+v", line)
			}
			list, ok := handshake.Extension(line.Fields, handshake.FieldVersions)
			if ok != (test.fields == 8) || ok && list != "2,3" {
				t.Errorf("versions %q, %t", list, ok)
			}
		})
	}
}

func TestRunServesTheFirstOfSeveralTransports(t *testing.T) {
	cfg := plugin.Config{Handshake: cookie, Versions: core.Versions{
		1: {&faketransport.Transport{Name: "first"}, &faketransport.Transport{Name: "second"}},
	}}
	if line := run(t, surround(nil), cfg).parsed(t); line.Protocol != "first" {
		t.Errorf("serves %s", line.Protocol)
	}
}

func TestRunUnsetsTheProtocolsVariables(t *testing.T) {
	variables := map[string]string{"OTHER": "stays", "PLUGIN_OF_MINE": "stays"}
	for _, name := range handshake.Names() {
		variables[name] = "1"
	}
	delete(variables, handshake.EnvClientCert)
	delete(variables, handshake.EnvSocketGroup)
	variables[handshake.EnvSocketDir] = testkit.ShortDir(t)
	var seen core.PluginLink
	r := run(t, surround(variables), config(&faketransport.Transport{Seen: func(l core.PluginLink) { seen = l }}))
	for _, name := range handshake.Names() {
		if value, ok := r.env.Lookup(name); ok {
			t.Errorf("%s is still %q", name, value)
		}
		if value, _ := seen.LookupEnv(name); value != variables[name] {
			t.Errorf("the transport sees %s=%q, want %q", name, value, variables[name])
		}
	}
	for _, name := range []string{"OTHER", "PLUGIN_OF_MINE"} {
		if value, _ := r.env.Lookup(name); value != "stays" {
			t.Errorf("%s is %q", name, value)
		}
	}
}

func TestRunLeavesInOrderOnASignal(t *testing.T) {
	plugintest.NoLeaks(t)
	var order []string
	cfg := config(new(faketransport.Transport))
	for _, name := range []string{"first", "second"} {
		cfg.OnShutdown = append(cfg.OnShutdown, func(ctx context.Context) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("the context has no deadline")
			}
			order = append(order, name)
		})
	}
	r := run(t, surround(nil), cfg)
	path := r.parsed(t).Address
	r.signals <- syscall.SIGTERM
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if !slices.Equal(order, []string{"second", "first"}) {
		t.Errorf("shut down in the order %v", order)
	}
	gone(t, path)
}

func TestInterruptsAreLeftToTheHost(t *testing.T) {
	r := run(t, surround(nil), config(new(faketransport.Transport)))
	for range 3 {
		r.signals <- os.Interrupt
	}
	select {
	case err := <-r.ended:
		t.Fatalf("an interrupt ended it: %v", err)
	case r.signals <- syscall.SIGTERM: // it has taken the third interrupt
	}
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

func TestRunLeavesAtTheEndOfItsContext(t *testing.T) {
	r := run(t, surround(nil), config(new(faketransport.Transport)))
	r.cancel()
	if err := r.end(t); err != nil {
		t.Error(err)
	}
}

func TestShutdownFunctionThatDoesNotReturnIsLeftBehind(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	cfg := config(new(faketransport.Transport))
	cfg.ShutdownTimeout = 10 * time.Millisecond
	cfg.OnShutdown = []func(context.Context){func(context.Context) { <-release }}
	r := run(t, surround(nil), cfg)
	r.signals <- syscall.SIGTERM
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if !strings.Contains(r.log.String(), "left behind") {
		t.Errorf("logged %q", r.log)
	}
}

func TestShutdownFunctionsRunThoughACallDoesNotEnd(t *testing.T) {
	release, called := make(chan struct{}), make(chan struct{})
	ran := false
	cfg := config(&faketransport.Transport{Objects: map[string]faketransport.Object{
		"hang": func(context.Context, string) (string, error) {
			close(called)
			<-release
			return "", nil
		},
	}})
	cfg.ShutdownTimeout = 10 * time.Millisecond
	cfg.OnShutdown = []func(context.Context){func(context.Context) {
		ran = true
		close(release)
	}}
	r := run(t, surround(nil), cfg)
	session := r.dial(t)
	hanging, err := session.Dispense(within(t), "hang")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = hanging.(*faketransport.Client).Call(within(t), "") }()
	<-called
	r.signals <- syscall.SIGTERM
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	if !ran {
		t.Error("the function did not run")
	}
}

func TestConfigIsNotChangedAndServesAgain(t *testing.T) {
	cfg := config(new(faketransport.Transport))
	for range 2 {
		r := run(t, surround(nil), cfg)
		r.cancel()
		if err := r.end(t); err != nil {
			t.Error(err)
		}
	}
	if cfg.Network != "" || cfg.ShutdownTimeout != 0 || cfg.Logger != nil {
		t.Errorf("changed to %+v", cfg)
	}
}

func TestHostCertificateIsRefusedIfGarbled(t *testing.T) {
	for name, value := range map[string]string{
		"no PEM":   "garbage",
		"no DER":   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"a key":    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"too long": strings.Repeat("A", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			err := refuse(t, surround(map[string]string{handshake.EnvClientCert: value}), config(new(faketransport.Transport)))
			mention(t, err, handshake.EnvClientCert, "certificate")
			if len(err.Error()) > 500 {
				t.Errorf("a text of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestTLSServerWithoutACertificateIsRefusedAtOnce(t *testing.T) {
	for name, provided := range map[string]*core.TLS{
		"a client's files": {Client: &tls.Config{MinVersion: tls.VersionTLS12}},
		"a server's":       {Server: &tls.Config{MinVersion: tls.VersionTLS12}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(new(faketransport.Transport))
			cfg.TLS = func(context.Context) (*core.TLS, error) { return provided, nil }
			mention(t, refuse(t, surround(nil), cfg), "Config.TLS", "without a certificate")
		})
	}
}

// What is meant for dialing says by itself whom it takes when it serves, or the
// plugin does not start: it would answer everybody.
func TestTLSClientConfigurationAloneDoesNotServeAnybody(t *testing.T) {
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	own, err := tlsutil.ParseDER(identity.DER())
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(new(faketransport.Transport))
	cfg.TLS = func(context.Context) (*core.TLS, error) { return &core.TLS{Client: tlsutil.Client(identity, own)}, nil }
	err = refuse(t, surround(nil), cfg)
	mention(t, err, "Config.TLS", "no authority is named")
	if !errors.Is(err, core.ErrCannotServe) {
		t.Error("it is not an ErrCannotServe")
	}
}
