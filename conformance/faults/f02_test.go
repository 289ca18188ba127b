//go:build unix

package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// TestF2: a host that is itself a plugin has its own host's certificate in its environment,
// and starts a plugin without AutoMTLS.
func TestF2(t *testing.T) {
	t.Run("goplugin", testF2GoPlugin)
	t.Run("jackfield", testF2Jackfield)
}

// clientCert returns the announcement of a host with AutoMTLS.
func clientCert(t *testing.T) string {
	t.Helper()
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.PEM()
}

func testF2GoPlugin(t *testing.T) {
	w := newWorld(t)
	_, stderr, status := w.runHost(t, "goplugin/host of F2", "", handshake.EnvClientCert+"="+clientCert(t))
	reason := firstLine(stderr, "panic: ")
	t.Logf("host: exit status %d, %s", status, reason)
	if status != 2 || !strings.Contains(reason, "nil pointer dereference") {
		t.Errorf("the host did not panic: %s", stderr)
	}
}

// playHostF2 is a host whose plugin inherits the host's certificate. This is the default of
// go-plugin's hosts.
func playHostF2(w world, _ string) int {
	s, err := w.subject("goplugin/plugin", "", func(config *goplugin.ClientConfig) {
		config.Cmd.Env = append(config.Cmd.Env, handshake.EnvClientCert+"="+os.Getenv(handshake.EnvClientCert))
	})
	if err != nil {
		return exitBadRole
	}
	if _, err := s.probe(); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		return exitBadRole
	}
	return 0
}

// testF2Jackfield runs our host in the same situation, with a plugin that inherits the
// whole environment. The environment excludes the protocol's own variables.
func testF2Jackfield(t *testing.T) {
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		t.Setenv(handshake.EnvClientCert, clientCert(t))
		cfg, _ := w.jackfield(t, role, "")
		cfg.Command.Inherit = host.InheritAll()
		launchConfig(t, cfg).expectAlive(t)
	})
}
