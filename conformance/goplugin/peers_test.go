package goplugin_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// peers are the two programs, built once for a test.
type peers struct {
	host, plugin string
	temporary    string
}

// build builds both programs.
func build(t *testing.T) peers {
	t.Helper()
	dir := t.TempDir()
	command := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), "./host", "./plugin")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	// Sockets need a short path, so not in dir; go-plugin leaves some behind.
	temporary, err := os.MkdirTemp("", "jf") //nolint:usetesting // as just said
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	return peers{
		host:      filepath.Join(dir, "host"+suffix),
		plugin:    filepath.Join(dir, "plugin"+suffix),
		temporary: temporary,
	}
}

// run runs the host on the plugin and returns its reports; a host that fails is
// not the test's failure.
func (p peers) run(t *testing.T, hostVersions, pluginVersions string, scenarios ...string) []shared.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	arguments := append([]string{"-versions", hostVersions, p.plugin}, scenarios...)
	arguments = append(arguments, "--", "-versions", pluginVersions)
	command := exec.CommandContext(ctx, p.host, arguments...)
	command.Env = append(os.Environ(), "TMPDIR="+p.temporary)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	var reports []shared.Report
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		report, parseErr := shared.ParseReport(lines.Bytes())
		if parseErr != nil {
			t.Fatalf("report %q: %v", lines.Text(), parseErr)
		}
		reports = append(reports, report)
	}
	if len(reports) == 0 {
		t.Fatalf("host: %v, no reports\n%s", err, stderr.String())
	}
	return reports
}

func TestPeersPassTheirOwnScenarios(t *testing.T) {
	for _, report := range build(t).run(t, "1", "1", "all", "stdio-kill") {
		t.Logf("%-10s %6.1f ms, killed %v %v", report.Scenario, report.Milliseconds, report.Ended.Killed, report.Values)
		if !report.OK {
			t.Errorf("%s: %s\n%s", report.Scenario, report.Error, strings.Join(report.Log, "\n"))
		}
	}
}

func TestPeersNegotiate(t *testing.T) {
	programs := build(t)
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	tests := []struct {
		name, host, plugin, scenario string
		negotiated                   float64 // as JSON has it
		startError                   string
	}{
		{"highest in common", "2,3", "1,2,3", "version", 3, ""},
		{"the only one in common", "1,2", "2,3", "version", 2, ""},
		{"plugin without versions", "1,2", "legacy:2", "version", 2, ""},
		{"host without versions", "legacy:2", "1,2,3", "version", 2, ""},
		{"none in common", "1", "2,3", "mismatch", 0, oldest},
		{"old host without a list", "2,3", "2,3", "oldhost", 2, ""},
		{"old host, lowest version unknown to it", "1", "2,3", "oldhost", 0, oldest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.scenario == "oldhost" && runtime.GOOS == "windows" {
				t.Skip("only on Unix, where a process can become another program")
			}
			report := programs.run(t, test.host, test.plugin, test.scenario)[0]
			if !report.OK {
				t.Fatal(report.Error)
			}
			if got, _ := report.Values["negotiated"].(float64); got != test.negotiated {
				t.Errorf("negotiated %v, expected %v", got, test.negotiated)
			}
			if got, _ := report.Values["startError"].(string); !strings.HasSuffix(got, test.startError) {
				t.Errorf("start: %q, expected %q", got, test.startError)
			}
		})
	}
}

func TestHostReportsWhatFailed(t *testing.T) {
	report := build(t).run(t, "1", "2", "calls")[0]
	if report.OK || !strings.Contains(report.Error, "incompatible API version") {
		t.Errorf("got %+v, expected the start's error", report)
	}
}
