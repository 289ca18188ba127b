package migrating

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	oldrules "github.com/jackfield-go/jackfield/conformance/migrating/before/rules"

	"github.com/jackfield-go/jackfield/conformance/migrating/after/rules"
	"github.com/jackfield-go/jackfield/core/host"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

// With the variable reporter in its environment, this program writes the value of variable
// and its stdin to its stderr, or with the value reportsALogLine the line, and exits.
const (
	reporter = "JACKFIELD_MIGRATING_REPORTER"
	variable = "JACKFIELD_MIGRATING_VARIABLE"

	reportsALogLine = "log"
	logLine         = `{"@level":"warn","@message":"reported","@module":"style.cache","@timestamp":"2024-05-06T07:08:09.123456Z","n":1}`
)

// Both libraries get the same settings: a variable set in the host too, and no stdin. The
// raw log has the report: it is Stderr in go-plugin, and RawLog in Jackfield.
func TestEnvironmentInputAndRawLogDifferAsThePageSays(t *testing.T) {
	t.Setenv(variable, "the host's")
	typed := filepath.Join(t.TempDir(), "typed")
	if err := os.WriteFile(typed, []byte("typed"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := []string{reporter + "=", variable + "=the plugin's"}
	for _, library := range []struct {
		name, says string
		report     func(*testing.T, []string) string
	}{
		{"go-plugin", variable + `=the host's stdin="typed"`, reportToGoPlugin},
		{"jackfield", variable + `=the plugin's stdin=""`, reportToJackfield},
	} {
		t.Run(library.name, func(t *testing.T) {
			input, err := os.Open(typed)
			if err != nil {
				t.Fatal(err)
			}
			defer input.Close()
			before := os.Stdin
			os.Stdin = input
			defer func() { os.Stdin = before }()
			if got := library.report(t, settings); !strings.Contains(got, library.says) {
				t.Errorf("got %q, expected %q", got, library.says)
			}
		})
	}
}

// reportToGoPlugin returns the reporter's output under a host on go-plugin.
func reportToGoPlugin(t *testing.T, settings []string) string {
	t.Helper()
	raw := make(written, 64)
	command := exec.Command(os.Args[0])
	command.Env = settings
	command.Stdin = strings.NewReader("set by the application")
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: oldrules.Handshake,
		Plugins:         oldrules.Plugins(nil),
		Cmd:             command,
		Stderr:          raw,
		Logger:          hclog.NewNullLogger(),
	})
	if _, err := client.Start(); err == nil {
		t.Error("the reporter was accepted as a plugin")
	}
	client.Kill()
	return raw.line(t)
}

// reportToJackfield returns the reporter's output under a host on Jackfield.
func reportToJackfield(t *testing.T, settings []string) string {
	t.Helper()
	raw := make(written, 64)
	client, err := host.Launch(t.Context(), host.Config{
		Handshake: rules.Handshake,
		Versions:  rules.Versions,
		Command:   host.Cmd{Path: os.Args[0], Env: settings},
		Outputs:   host.Outputs{RawLog: raw},
	})
	if err == nil {
		t.Error("the reporter was accepted as a plugin")
		_ = client.Close()
	}
	return raw.line(t)
}

// Both hosts have an hclog.Logger. It shows a plugin's own time and @module under the same keys.
func TestHclogShowsAPluginsTimeAndModuleUnderBothLibraries(t *testing.T) {
	for _, library := range []struct {
		name   string
		module string
		launch func(hclog.Logger) error
	}{
		{"go-plugin", "style.cache", func(log hclog.Logger) error {
			command := exec.Command(os.Args[0])
			command.Env = []string{reporter + "=" + reportsALogLine}
			client := goplugin.NewClient(&goplugin.ClientConfig{
				HandshakeConfig: oldrules.Handshake,
				Plugins:         oldrules.Plugins(nil),
				Cmd:             command,
				Logger:          log,
			})
			defer client.Kill()
			_, err := client.Start()
			return err
		}},
		{"jackfield", "app.style.cache", func(log hclog.Logger) error {
			client, err := host.Launch(t.Context(), host.Config{
				Handshake: rules.Handshake,
				Versions:  rules.Versions,
				Command:   host.Cmd{Path: os.Args[0], Env: []string{reporter + "=" + reportsALogLine}},
				Logger:    slog.New(loghclog.NewHandler(log, loghclog.HandlerOptions{})),
			})
			if err == nil {
				_ = client.Close()
			}
			return err
		}},
	} {
		t.Run(library.name, func(t *testing.T) {
			records := make(written, 64)
			if err := library.launch(hclog.New(&hclog.LoggerOptions{Name: "app", Output: records, JSONFormat: true, Level: hclog.Info})); err == nil {
				t.Error("the reporter was accepted as a plugin")
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(records.lineWith(t, "reported")), &got); err != nil {
				t.Fatal(err)
			}
			if got["timestamp"] != "2024-05-06T07:08:09.123Z" || got["@module"] != library.module || got["@level"] != "warn" || got["n"] != 1.0 {
				t.Errorf("the record is %v", got)
			}
		})
	}
}

// written receives everything written to it.
type written chan string

func (w written) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// line waits for a whole line.
func (w written) line(t *testing.T) string { return w.lineWith(t, "") }

// lineWith waits for a whole line with a text in it.
func (w written) lineWith(t *testing.T, part string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text := ""
	for {
		select {
		case more := <-w:
			text += more
		case <-ctx.Done():
			t.Fatalf("got no line with %q, but %q", part, text)
		}
		for line := range strings.Lines(text) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, part) {
				return line
			}
		}
	}
}

// The page tells users of reattach to keep go-plugin for it.
func TestHostOnGoPluginAttachesToAMovedPlugin(t *testing.T) {
	config := func() *goplugin.ClientConfig {
		return &goplugin.ClientConfig{
			HandshakeConfig:  oldrules.Handshake,
			Plugins:          oldrules.Plugins(nil),
			AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
			Logger:           hclog.NewNullLogger(),
		}
	}
	launching := config()
	launching.Cmd = exec.Command(programs.newPlugin)
	launched := goplugin.NewClient(launching)
	defer launched.Kill()
	if _, err := launched.Client(); err != nil {
		t.Fatal(err)
	}
	attaching := config()
	attaching.Reattach = launched.ReattachConfig()
	attached := goplugin.NewClient(attaching)
	defer attached.Kill()
	protocol, err := attached.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense(oldrules.Name)
	if err != nil {
		t.Fatal(err)
	}
	rule, ok := dispensed.(oldrules.Rule)
	if !ok {
		t.Fatalf("dispensed a %T", dispensed)
	}
	found := make(findings)
	if faults, err := rule.Check(text, found); err != nil || faults != 2 || len(found) != 2 {
		t.Errorf("%d faults, %v, reported %v", faults, err, found)
	}
}

// findings are faults by line.
type findings map[int]string

func (f findings) Report(line int, fault string) error {
	f[line] = fault
	return nil
}
