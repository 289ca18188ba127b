package host_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
)

func TestEnvironmentOfAPlugin(t *testing.T) {
	t.Setenv("HOST_TEST_A", "inherited a")
	t.Setenv("HOST_TEST_B", "inherited b")
	tests := map[string]struct {
		inherit host.Inherit
		env     []string
		a, b    string
	}{
		"everything is inherited":      {host.Inherit{}, nil, "inherited a true", "inherited b true"},
		"everything, in words":         {host.InheritAll(), nil, "inherited a true", "inherited b true"},
		"only what is named":           {host.InheritOnly("HOST_TEST_B", "HOST_TEST_UNSET"), nil, " false", "inherited b true"},
		"nothing":                      {host.InheritOnly(), nil, " false", " false"},
		"Env wins over what is passed": {host.InheritAll(), []string{"HOST_TEST_A=own"}, "own true", "inherited b true"},
		"all but what is named":        {host.InheritAllBut("HOST_TEST_B"), nil, "inherited a true", " false"},
		"Env wins over what is left":   {host.InheritAllBut("HOST_TEST_B"), []string{"HOST_TEST_B=own"}, "inherited a true", "own true"},
		"Env beside nothing":           {host.InheritOnly(), []string{"HOST_TEST_A=own"}, "own true", " false"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.Command.Inherit = test.inherit
			cfg.Command.Env = append(cfg.Command.Env, test.env...)
			client := launch(t, cfg)
			for key, want := range map[string]string{"HOST_TEST_A": test.a, "HOST_TEST_B": test.b} {
				if got := call(t, client, "getenv", key); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}
		})
	}
}

// A host that is a plugin itself has a certificate, a directory and the like in
// its environment, which belong to its own host. Naming them does not help.
func TestStaleVariablesOfTheProtocolNeverReachAPlugin(t *testing.T) { // F2
	for _, name := range handshake.Names() {
		t.Setenv(name, "stale")
	}
	t.Setenv(cookie.MagicCookieKey, "another host's")
	for how, test := range map[string]struct {
		inherit host.Inherit
		env     []string
	}{
		"everything":        {host.InheritAll(), nil},
		"all but something": {host.InheritAllBut("HOST_TEST_A"), nil},
		"a list":            {host.InheritOnly(append(handshake.Names(), cookie.MagicCookieKey)...), nil},
		"nothing":           {host.InheritOnly(), nil},
		"by Env":            {host.InheritOnly(), os.Environ()},
	} {
		t.Run(how, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.Command.Inherit = test.inherit
			cfg.Command.Env = append(test.env, cfg.Command.Env...)
			client := launch(t, cfg)
			for _, name := range handshake.Names() {
				if got := call(t, client, "getenv", name); strings.Contains(got, "stale") {
					t.Errorf("%s reached the plugin: %s", name, got)
				}
			}
			if got := call(t, client, "getenv", handshake.EnvProtocolVersions); got != "1 true" {
				t.Errorf("the versions are %s", got)
			}
			if got := call(t, client, "getenv", cookie.MagicCookieKey); got != cookie.MagicCookieValue+" true" {
				t.Errorf("the cookie is %s", got)
			}
		})
	}
}

// What a plugin starts, another plugin among it, inherits nothing of what the
// plugin has from its host: neither what is secret nor what would mislead.
func TestPluginsChildrenGetNothingOfItsHosts(t *testing.T) {
	for mode, mtls := range map[string]host.MTLS{"plain": host.MTLSOff, "mutual TLS": host.MTLSRequired} {
		t.Run(mode, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.AutoMTLS = mtls
			client := launch(t, cfg)
			if got := call(t, client, "getenv", cookie.MagicCookieKey); got != cookie.MagicCookieValue+" true" {
				t.Errorf("the plugin's cookie is %s", got)
			}
			for _, name := range append(handshake.Names(), cookie.MagicCookieKey) {
				if got := call(t, client, "getenv now", name); got != " false" {
					t.Errorf("%s stays in its environment: %s", name, got)
				}
			}
		})
	}
}

// The environment may have been copied before the host in the middle served, and so
// before it removed the variables of its own host.
func TestHostInAPluginMayAppendToItsEnvironment(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.AutoMTLS = host.MTLSRequired
	client := launch(t, cfg)
	if got := call(t, client, "nest", handshake.EnvClientCert); got != " false" {
		t.Errorf("the certificate of the outer host reached the inner plugin: %s", got)
	}
	if got := call(t, client, "nest", handshake.EnvProtocolVersions); got != "1 true" {
		t.Errorf("the versions are %s", got)
	}
}

func TestTransportsVariablesReachAPlugin(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Versions = faketransport.Versions(&faketransport.Transport{Variables: map[string]string{"PLUGIN_FAKE": "yes"}}, 1)
	if got := call(t, launch(t, cfg), "getenv", "PLUGIN_FAKE"); got != "yes true" {
		t.Errorf("got %q", got)
	}
}

func TestStdinIsWhatTheConfigSays(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("from a file"); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		stdin io.Reader
		want  string
	}{
		"none":     {nil, ""},
		"a reader": {strings.NewReader("from a reader"), "from a reader"},
		"a file":   {file, "from a file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "serve", "")
			cfg.Command.Stdin = test.stdin
			if got := call(t, launch(t, cfg), "stdin", ""); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
