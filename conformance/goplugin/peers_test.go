package goplugin_test

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/peers"
)

// programs are the peers' paths, set by TestMain before any test.
var programs struct{ host, plugin string }

// TestMain builds the peers once.
func TestMain(m *testing.M) {
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.host, Source: "./host"},
		peers.Program{Path: &programs.plugin, Source: "./plugin"},
	))
}

// run runs the host on the plugin and returns its reports. A failing host does not fail the
// test.
func run(t *testing.T, hostVersions, pluginVersions string, scenarios ...string) []shared.Report {
	t.Helper()
	return peers.HostRun{
		Host:      programs.host,
		Plugin:    programs.plugin,
		Flags:     []string{"-versions", hostVersions},
		Scenarios: scenarios,
		Arguments: []string{"-versions", pluginVersions},
		Patience:  30 * time.Second,
	}.Run(t).Reports
}

func TestPeersPassTheirOwnScenarios(t *testing.T) {
	for _, report := range run(t, "1", "1", "all", "stdio-kill") {
		t.Logf("%-10s %6.1f ms, killed %v %v", report.Scenario, report.Milliseconds, report.Ended.Killed, report.Values)
		if !report.OK {
			t.Errorf("%s: %s\n%s", report.Scenario, report.Error, strings.Join(report.Log, "\n"))
		}
	}
}

func TestPeersNegotiate(t *testing.T) {
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	tests := []struct {
		name, host, plugin, scenario string
		negotiated                   float64 // JSON's number type
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
				t.Skip("only on Unix, where a process can replace its program")
			}
			report := run(t, test.host, test.plugin, test.scenario)[0]
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

func TestHostReportsFailures(t *testing.T) {
	report := run(t, "1", "2", "calls")[0]
	if report.OK || !strings.Contains(report.Error, "incompatible API version") {
		t.Errorf("got %+v, expected the start's error", report)
	}
}
