//go:build unix

package trust

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	"github.com/jackfield-go/jackfield/core/host"
)

// warnings receives the warnings in a host's log, with the plugin's error.
type warnings chan string

func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler             { return w }
func (w warnings) WithGroup(string) slog.Handler                  { return w }

func (w warnings) Handle(_ context.Context, record slog.Record) error {
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	w <- text
	return nil
}

// A host needs no certificate to attach to a running plugin (protocol §9), and so gets
// none. Its calls fail, and the plugin's log gives the reason.
func TestLogOfAPluginReportsAnAttachingHost(t *testing.T) {
	for name, s := range settings() {
		if strings.HasPrefix(s.role, "their") || s.multiplexed {
			continue // go-plugin's log is its own; a host without multiplexing gets no stream for TLS
		}
		t.Run(name, func(t *testing.T) {
			said := make(warnings, 100)
			u := s.launchLogging(t, host.MTLSRequired, slog.New(said))
			second := u.attach(t)
			if _, err := second.Client(); err == nil {
				client, _ := second.Client()
				if err := client.Ping(); err == nil {
					t.Error("the other host got an answer")
				}
			}
			select {
			case text := <-said:
				for _, part := range []string{"a connection to the plugin was refused", "AutoMTLS", "another host cannot attach"} {
					if !strings.Contains(text, part) {
						t.Errorf("%q does not mention %q", text, part)
					}
				}
			case <-within(t).Done():
				t.Error("nothing was said")
			}
			if err := u.ping(); err != nil {
				t.Errorf("the plugin: %v", err)
			}
		})
	}
}

// attach makes a go-plugin host that tries to take over the plugin.
func (u *subject) attach(t *testing.T) *goplugin.Client {
	t.Helper()
	pid, err := strconv.Atoi(u.client.ID())
	if err != nil {
		t.Fatal(err)
	}
	served, protocol := probeplugin.Serve(oneVersion()), goplugin.ProtocolNetRPC
	if u.grpc {
		served, protocol = grpcplugin.Serve(oneVersion()), goplugin.ProtocolGRPC
	}
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  served.HandshakeConfig,
		Plugins:          goplugin.PluginSet{shared.PluginName: served.VersionedPlugins[1][shared.PluginName]},
		AllowedProtocols: []goplugin.Protocol{protocol},
		Logger:           hclog.NewNullLogger(),
		Reattach: &goplugin.ReattachConfig{
			Protocol: protocol, ProtocolVersion: 1, Pid: pid, Test: true,
			Addr: &net.UnixAddr{Name: u.sockets(t)[0], Net: "unix"},
		},
	})
}
