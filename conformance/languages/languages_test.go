package languages_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/languages"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// patience limits operations that must not hang. Interpreters are slow.
const patience = time.Minute

// Every plugin behaves the same under every host.
func TestPluginsInOtherLanguages(t *testing.T) {
	for _, l := range []languages.Language{languages.Python(), languages.Node()} {
		for hostName, launch := range hosts() {
			for _, mtls := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/mtls=%t", l.Name, hostName, mtls), func(t *testing.T) {
					if mtls && hostName == theirHost && l.Name == languages.Python().Name {
						languages.NeedsOpenSSL(t) // see also TestPluginsOnBoringSSLServeOurHostAndNotGoPlugins
					}
					useStore(t, launch(t, l, mtls))
				})
			}
		}
	}
}

// Our host learns which release of a plugin runs, and may require one.
func TestPluginsInOtherLanguagesSayTheirVersion(t *testing.T) {
	for _, l := range []languages.Language{languages.Python(), languages.Node()} {
		t.Run(l.Name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			interpreter, script := l.Command(t)
			err := host.With(t.Context(), host.Config{
				Handshake: languages.Handshake(),
				Versions:  languages.Versions(),
				Command:   host.Command(interpreter, script),
				Require:   "~> 1.0",
			}, func(_ context.Context, client *host.Client) error {
				got := client.Info()
				if got.Version != "1.0.2" || !strings.HasPrefix(got.Language, strings.ToLower(l.Name)) || got.RequiresHost != "" {
					t.Errorf("got %+v", got)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func useStore(t *testing.T, p launched) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := languages.UseStore(ctx, p.store); err != nil {
		t.Error(err)
	}
	p.end(t)
}
