package migrating

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// patience limits operations that must not hang.
const patience = 20 * time.Second

// printed is the host's output for text.
const (
	text = "a plain line\nwith the the word\nand no no more\n" //nolint:dupword // the faults to find

	printed = `line 2: "the" stands twice
line 3: "no" stands twice
faults: 2
without a text: rpc error: code = Unknown desc = the text is empty
`
)

func TestHostsRunEachPluginWithTheSameOutput(t *testing.T) {
	for _, pair := range []struct {
		name, host, plugin string
		moved              bool // at least one side
	}{
		{"old host, old plugin", programs.oldHost, programs.oldPlugin, false},
		{"old host, new plugin", programs.oldHost, programs.newPlugin, true},
		{"new host, old plugin", programs.newHost, programs.oldPlugin, true},
		{"new host, new plugin", programs.newHost, programs.newPlugin, true},
	} {
		t.Run(pair.name, func(t *testing.T) {
			temporary := peers.ShortDir(t)
			output, log := check(t, pair.host, pair.plugin, temporary)
			if output != printed {
				t.Errorf("printed\n%s\nexpected\n%s", output, printed)
			}
			if !strings.Contains(log, "[INFO]") || !strings.Contains(log, ": checked a text: ") {
				t.Errorf("the plugin's record is not in the host's log:\n%s", log)
			}
			if pair.moved { // go-plugin on both sides leaves files of its own
				peers.ExpectEmpty(t, temporary)
			}
		})
	}
}

// check runs a host on a plugin to its end.
func check(t *testing.T, host, plugin, temporary string) (output, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, host, plugin)
	command.Env = append(os.Environ(), "TMPDIR="+temporary, "GORACE=atexit_sleep_ms=0")
	command.Stdin = strings.NewReader(text)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil || strings.Contains(stderr.String(), "DATA RACE") {
		t.Fatalf("host: %v, it says\n%s", err, stderr.String())
	}
	return string(stdout), stderr.String()
}
