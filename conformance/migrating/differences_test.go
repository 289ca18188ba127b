package migrating

import (
	"context"
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
)

// With the variable reporter in its environment, this program writes the value of variable
// and its stdin to its stderr, and exits.
const (
	reporter = "JACKFIELD_MIGRATING_REPORTER"
	variable = "JACKFIELD_MIGRATING_VARIABLE"
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

// written receives everything written to it.
type written chan string

func (w written) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// line waits for a whole line.
func (w written) line(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text := ""
	for !strings.Contains(text, "\n") {
		select {
		case more := <-w:
			text += more
		case <-ctx.Done():
			t.Fatalf("got no line, but %q", text)
		}
	}
	return text
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
