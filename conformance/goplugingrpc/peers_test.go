package goplugingrpc_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
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
func (p peers) run(t *testing.T, flags, scenarios, pluginArguments []string) []shared.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	arguments := slices.Concat(flags, []string{p.plugin}, scenarios, []string{"--"}, pluginArguments)
	command := exec.CommandContext(ctx, p.host, arguments...)
	command.Env = append(os.Environ(), "TMPDIR="+p.temporary)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	var reports []shared.Report
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, 1<<20)
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

// baseline is what go-plugin cannot do with itself: the errors that scenarios
// end with.
func baseline(multiplexed bool) map[string]string {
	const tooLarge = "grpc: received message larger than max" // 4 MiB into a plugin, or a brokered server
	errors := map[string]string{"big": tooLarge, "big-callback": tooLarge, "big-offer": tooLarge}
	if !multiplexed {
		errors["redial"] = "timeout waiting for connection info" // F14
	}
	return errors
}

// raced are the scenarios that go-plugin loses now and then with itself: nothing
// orders parallel multiplexed connections to its host.
func raced(multiplexed bool) []string {
	if !multiplexed {
		return nil
	}
	return []string{"callback-parallel", "both-ways"}
}

func TestPeersPassTheirOwnScenarios(t *testing.T) {
	programs := build(t)
	for _, setting := range []struct {
		name                 string
		multiplexed, secured bool
	}{
		{"plain", false, false},
		{"multiplexed", true, false},
		{"AutoMTLS", false, true},
		{"multiplexed, AutoMTLS", true, true},
	} {
		t.Run(setting.name, func(t *testing.T) {
			names := slices.Concat(scenario.Names(setting.secured, false), scenario.Names(setting.secured, true))
			flags := []string{
				"-timeout=20s",
				fmt.Sprintf("-multiplex=%v", setting.multiplexed),
				fmt.Sprintf("-automtls=%v", setting.secured),
			}
			reports := programs.run(t, flags, names, nil)
			if len(reports) != len(names) {
				t.Errorf("%d reports of %d scenarios", len(reports), len(names))
			}
			for _, report := range reports {
				t.Logf("%-17s %7.1f ms, killed %v %v", report.Scenario, report.Milliseconds, report.Ended.Killed, report.Values)
				want := baseline(setting.multiplexed)[report.Scenario]
				switch {
				case !report.OK && slices.Contains(raced(setting.multiplexed), report.Scenario):
					t.Logf("%s: a race of go-plugin's: %s", report.Scenario, report.Error)
				case report.OK != (want == "") || !strings.Contains(report.Error, want):
					t.Errorf("%s: %q, expected %q\n%s", report.Scenario, report.Error, want, strings.Join(report.Log, "\n"))
				}
			}
		})
	}
}

func TestPeersNegotiate(t *testing.T) {
	programs := build(t)
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	for _, test := range []struct {
		name, host, plugin string
		negotiated         float64 // as JSON has it
		startError         string
	}{
		{"highest in common", "2,3", "1,2,3", 3, ""},
		{"plugin without versions", "1,2", "legacy:2", 2, ""},
		{"host without versions", "legacy:2", "1,2,3", 2, ""},
		{"none in common", "1", "2,3", 0, oldest},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := programs.run(t, []string{"-versions", test.host}, []string{"version"}, []string{"-versions", test.plugin})[0]
			if got, _ := report.Values["negotiated"].(float64); got != test.negotiated {
				t.Errorf("negotiated %v, expected %v", got, test.negotiated)
			}
			if report.OK != (test.startError == "") || !strings.Contains(report.Error, test.startError) {
				t.Errorf("got %q, expected %q", report.Error, test.startError)
			}
		})
	}
}
