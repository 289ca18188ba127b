package netrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// theirRun is one run of the go-plugin host on our plugin.
type theirRun struct {
	host      []string // flags of the host
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

// run runs the host to its end. The test fails with a scenario.
func (r theirRun) run(t *testing.T) theirOutcome {
	t.Helper()
	plugintest.NoLeaks(t)
	outcome := theirOutcome{temporary: shortDir(t), farewell: filepath.Join(t.TempDir(), "farewell")}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	arguments := slices.Concat([]string{"-v"}, r.host, []string{programs.ourPlugin}, r.scenarios,
		[]string{"--", "-farewell", outcome.farewell}, r.plugin)
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
		if !report.OK {
			t.Errorf("%s: %s", report.Scenario, report.Error)
		}
		outcome.reports = append(outcome.reports, report)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || len(outcome.reports) < len(r.scenarios) {
		t.Fatalf("host: %v, %d reports\n%s", err, len(outcome.reports), outcome.log)
	}
	outcome.expectNoRace(t)
	if t.Failed() {
		t.Log(outcome.log)
	}
	return outcome
}

// expectNoRace expects that the race detector found nothing in our plugin.
func (o theirOutcome) expectNoRace(t *testing.T) {
	t.Helper()
	if strings.Contains(o.log, "DATA RACE") {
		t.Error("the plugin has a data race")
	}
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

// isLoud tells lines of the log above debug. That a plugin has ended is what
// go-plugin itself says at info, always.
func isLoud(line string) bool {
	for _, level := range []string{"[INFO]", "[WARN]", "[ERROR]"} {
		if strings.Contains(line, level) && !strings.Contains(line, "host: plugin process exited: ") {
			return true
		}
	}
	return false
}
