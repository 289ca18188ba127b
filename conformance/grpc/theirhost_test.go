package grpc_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// theirRun is one run of the go-plugin host on our plugin.
type theirRun struct {
	setting   setting
	host      []string // more flags of the host
	scenarios []string
	plugin    []string // arguments of the plugin
}

// theirOutcome is what came of it.
type theirOutcome struct {
	reports   []shared.Report
	log       string // the host's whole log
	farewell  string // where the plugin says farewell
	temporary string // where both sides had their temporary files
}

// run runs the host to its end.
func (r theirRun) run(t *testing.T) theirOutcome {
	t.Helper()
	plugintest.NoLeaks(t)
	outcome := theirOutcome{temporary: shortDir(t), farewell: filepath.Join(t.TempDir(), "farewell")}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	arguments := slices.Concat([]string{
		"-v", fmt.Sprintf("-multiplex=%v", r.setting.multiplexed), fmt.Sprintf("-automtls=%v", r.setting.secured),
	}, r.host, []string{programs.ourPlugin}, r.scenarios, []string{"--", "-farewell", outcome.farewell}, r.plugin)
	command := exec.CommandContext(ctx, programs.theirHost, arguments...)
	command.Env = append(os.Environ(), "TMPDIR="+outcome.temporary, "GORACE=atexit_sleep_ms=0")
	var log bytes.Buffer
	command.Stderr = &log
	output, err := command.Output()
	outcome.log = log.String()
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		report, err := shared.ParseReport(lines.Bytes())
		if err != nil {
			t.Fatalf("report %q: %v", lines.Text(), err)
		}
		outcome.reports = append(outcome.reports, report)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || len(outcome.reports) != len(r.scenarios) {
		t.Fatalf("host: %v, %d reports of %d\n%s", err, len(outcome.reports), len(r.scenarios), outcome.log)
	}
	if strings.Contains(outcome.log, "DATA RACE") {
		t.Error("the plugin has a data race")
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(tail(outcome.log, 200))
		}
	})
	return outcome
}

// tail is the end of a text, in lines.
func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// expectOrderly expects that every plugin left by itself when it was asked, and
// left nothing behind.
func (o theirOutcome) expectOrderly(t *testing.T) {
	t.Helper()
	for _, report := range o.reports {
		if !report.Ended.Exited || report.Ended.Killed || report.Ended.Status != "" {
			t.Errorf("%s: the plugin's end: %+v", report.Scenario, report.Ended)
		}
	}
	expectFarewell(t, o.farewell, true)
	expectEmpty(t, o.temporary)
}

// expectQuiet expects that neither side logged anything above debug.
func (o theirOutcome) expectQuiet(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(o.log) {
		if isLoud(line) {
			t.Errorf("logged above debug: %s", line)
		}
	}
}

// usual are lines above debug that are no failure. That a plugin has ended go-plugin
// says at info, always; its yamux, which is not told that the plugin leaves, reports
// what it still had to write, with go-plugin's own plugins too.
func usual() []string {
	return []string{
		"host: plugin process exited: ",
		"yamux: Failed to write ",
	}
}

// isLoud tells lines of the log above debug that are not usual.
func isLoud(line string) bool {
	loud := func(level string) bool { return strings.Contains(line, level) }
	return slices.ContainsFunc([]string{"[INFO]", "[WARN]", "[ERROR]"}, loud) && !slices.ContainsFunc(usual(), loud)
}

// theirLimits are the scenarios that go-plugin's host fails whoever the plugin
// is, and how.
func theirLimits(s setting) map[string]string {
	limits := map[string]string{"big-callback": "grpc: received message larger than max"} // its brokered server's own
	if !s.multiplexed {
		limits["redial"] = "timeout waiting for connection info" // F14, the dialer's half
	}
	return limits
}

func TestTheirHostRunsTheScenariosOnOurPlugin(t *testing.T) {
	eachSetting(t, func(t *testing.T, s setting) {
		outcome := theirRun{setting: s, scenarios: s.names(true, false)}.run(t)
		for _, report := range outcome.reports {
			t.Logf("%-17s %7.1f ms %v", report.Scenario, report.Milliseconds, report.Values)
			limit := theirLimits(s)[report.Scenario]
			if report.OK != (limit == "") || !strings.Contains(report.Error, limit) {
				t.Errorf("%s: %q, expected %q", report.Scenario, report.Error, limit)
			}
		}
		outcome.expectOrderly(t)
		outcome.expectQuiet(t)
	})
}

func TestTheirHostSeesOurPluginCrash(t *testing.T) {
	for name, status := range map[string]string{"exit": "exit status 7", "panic": "exit status 2"} {
		t.Run(name, func(t *testing.T) {
			outcome := theirRun{scenarios: []string{name}}.run(t)
			report := outcome.reports[0]
			t.Logf("the call in flight: %v", report.Values["callError"])
			if !report.OK || report.Ended.Status != status {
				t.Errorf("%q; the plugin's end: %+v", report.Error, report.Ended)
			}
			expectFarewell(t, outcome.farewell, false)
		})
	}
}

func TestTheirHostNegotiatesWithOurPlugin(t *testing.T) {
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	for _, test := range []struct {
		name, host, plugin string
		negotiated         any // as JSON has it
		startError         string
	}{
		{"highest in common", "2,3", "1,2,3", 3.0, ""},
		{"the only one in common", "1,2", "2,3", 2.0, ""},
		{"host without versions", "legacy:2", "1,2,3", 2.0, ""},
		{"none in common", "1", "2,3", nil, oldest},
	} {
		t.Run(test.name, func(t *testing.T) {
			outcome := theirRun{
				host:      []string{"-versions", test.host},
				scenarios: []string{"version"},
				plugin:    []string{"-versions", test.plugin},
			}.run(t)
			report := outcome.reports[0]
			if got := report.Values["negotiated"]; got != test.negotiated {
				t.Errorf("negotiated %v, expected %v", got, test.negotiated)
			}
			if report.OK != (test.startError == "") || !strings.Contains(report.Error, test.startError) {
				t.Errorf("got %q, expected %q", report.Error, test.startError)
			}
			if test.startError == "" { // go-plugin kills what it cannot use
				outcome.expectOrderly(t)
				outcome.expectQuiet(t)
			}
		})
	}
}

// TestTheirHostEndsOurPluginInOrderEveryTime looks for a race between a plugin's
// answer and its exit.
func TestTheirHostEndsOurPluginInOrderEveryTime(t *testing.T) {
	const runs = 30
	for _, s := range []setting{{}, {multiplexed: true}} {
		t.Run(s.String(), func(t *testing.T) {
			outcome := theirRun{setting: s, scenarios: slices.Repeat([]string{"stop"}, runs)}.run(t)
			for _, report := range outcome.reports {
				if !report.OK {
					t.Error(report.Error)
				}
			}
			outcome.expectOrderly(t)
			outcome.expectQuiet(t)
		})
	}
}
