package languages_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/languages"
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
