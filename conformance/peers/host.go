package peers

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
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// HostRun is one run of a host program on go-plugin, over net/rpc or gRPC.
type HostRun struct {
	// Host and Plugin are the programs.
	Host, Plugin string
	// Flags are the host's flags, beside "-v".
	Flags []string
	// Scenarios are the scenarios to run on the plugin.
	Scenarios []string
	// Arguments are the plugin's arguments, beside "-farewell".
	Arguments []string
	// Patience limits the duration of the run.
	Patience time.Duration
}

// Outcome is the result of a run.
type Outcome struct {
	// Reports are the host's reports, one for each scenario, or more for a name that stands
	// for several.
	Reports []shared.Report
	// Log is the host's whole log.
	Log string
	// Farewell is the path of the plugin's farewell file.
	Farewell string
	// Temporary is the directory for both sides' temporary files.
	Temporary string
}

// Run runs the host to its end. A failing scenario does not fail the test.
func (r HostRun) Run(t testing.TB) Outcome {
	t.Helper()
	plugintest.NoLeaks(t)
	outcome := Outcome{Temporary: ShortDir(t), Farewell: filepath.Join(t.TempDir(), "farewell")}
	ctx, cancel := context.WithTimeout(t.Context(), r.Patience)
	defer cancel()
	arguments := slices.Concat([]string{"-v"}, r.Flags, []string{r.Plugin}, r.Scenarios,
		[]string{"--", "-farewell", outcome.Farewell}, r.Arguments)
	command := exec.CommandContext(ctx, r.Host, arguments...)
	command.Env = append(os.Environ(), "TMPDIR="+outcome.Temporary, "GORACE=atexit_sleep_ms=0")
	var log bytes.Buffer
	command.Stderr = &log
	output, err := command.Output()
	outcome.Log = log.String()
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(Tail(outcome.Log, 200))
		}
	})
	outcome.Reports = read(t, output)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || len(outcome.Reports) < len(r.Scenarios) {
		t.Fatalf("host: %v, %d reports of %d", err, len(outcome.Reports), len(r.Scenarios))
	}
	if strings.Contains(outcome.Log, "DATA RACE") {
		t.Error("the plugin has a data race")
	}
	return outcome
}

// FirstLine starts a plugin as go-plugin's hosts do, with these variables too, and returns
// its handshake line. Then it kills the plugin.
func FirstLine(t testing.TB, program string, patience time.Duration, variables ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, "-versions", "1")
	command.Env = append(os.Environ(), shared.CookieKey+"="+shared.CookieValue, "TMPDIR="+ShortDir(t),
		"PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000")
	command.Env = append(command.Env, variables...)
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_ = command.Process.Kill()
	_ = command.Wait() // the status of the kill
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return line
}

// read reads the reports.
func read(t testing.TB, output []byte) []shared.Report {
	t.Helper()
	var reports []shared.Report
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		report, err := shared.ParseReport(lines.Bytes())
		if err != nil {
			t.Fatalf("report %q: %v", lines.Text(), err)
		}
		reports = append(reports, report)
	}
	return reports
}

// Tail returns the last lines of a text.
func Tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// ExpectOrderly checks that every plugin left by itself on request, without leftovers.
func (o Outcome) ExpectOrderly(t testing.TB) {
	t.Helper()
	for _, report := range o.Reports {
		if !report.Ended.Exited || report.Ended.Killed || report.Ended.Status != "" {
			t.Errorf("%s: the plugin's end: %+v", report.Scenario, report.Ended)
		}
	}
	ExpectFarewell(t, o.Farewell, true)
	ExpectEmpty(t, o.Temporary)
}

// ExpectQuiet checks that neither side logged anything above debug, except usual messages.
// go-plugin always logs a plugin's end at info.
func (o Outcome) ExpectQuiet(t testing.TB, usual ...string) {
	t.Helper()
	usual = append(usual, "host: plugin process exited: ")
	for line := range strings.Lines(o.Log) {
		in := func(text string) bool { return strings.Contains(line, text) }
		if slices.ContainsFunc([]string{"[INFO]", "[WARN]", "[ERROR]"}, in) && !slices.ContainsFunc(usual, in) {
			t.Errorf("logged above debug: %s", line)
		}
	}
}
