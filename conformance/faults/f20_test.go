//go:build unix

package faults

import (
	"errors"
	"os"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
)

// TestF20: the host asks for AutoMTLS, and the plugin does no TLS.
func TestF20(t *testing.T) {
	t.Run("goplugin", testF20GoPlugin)
	t.Run("jackfield", testF20Jackfield)
}

// withoutTLS turns a plugin into one without AutoMTLS.
func withoutTLS(play role) role {
	return func(w world, argument string) int {
		_ = os.Unsetenv(handshake.EnvClientCert)
		return play(w, argument)
	}
}

func testF20GoPlugin(t *testing.T) {
	w := newWorld(t)
	s := w.goplugin(t, "goplugin/plugin without TLS", "", func(config *goplugin.ClientConfig) { config.AutoMTLS = true })
	if _, err := s.Start(); err != nil {
		t.Fatalf("start: %v, expected it to succeed", err)
	}
	probe, err := s.probe()
	if err == nil {
		_, err = probe.Echo(bounded(t), "hello")
	}
	t.Logf("first call: %v", err)
	if err == nil || strings.Contains(err.Error(), "AutoMTLS") {
		t.Errorf("the first call: %v, expected a riddle", err)
	}
}

// testF20Jackfield runs the same plugins under our host. If TLS is required, the launch
// fails with a reason; if TLS is preferred, the host continues without it.
func testF20Jackfield(t *testing.T) {
	for name, role := range pluginRoles() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cfg, _ := w.jackfield(t, role+" without TLS", "")
			cfg.AutoMTLS = host.MTLSRequired
			_, err := host.Launch(bounded(t), cfg)
			if !errors.Is(err, host.ErrNoCertificate) {
				t.Errorf("required: %v", err)
			}
			t.Logf("required: %v", err)
			w.expectGone(t)

			cfg.AutoMTLS = host.MTLSPreferred
			launchConfig(t, cfg).expectAlive(t)
		})
	}
}
