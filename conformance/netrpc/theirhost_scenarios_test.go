package netrpc_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/peers"
)

// orderly returns the scenarios that end with an orderly kill.
func orderly() []string {
	return []string{
		"dispense", "calls", "parallel", "errors", "abandon", "callback", "serveback", "reader",
		"stdio", "ping", "version", "kill", "reattach",
	}
}

// checks are additional expectations beside the report's own OK.
func checks() map[string]func(*testing.T, shared.Report) {
	return map[string]func(*testing.T, shared.Report){
		"dispense": func(t *testing.T, r shared.Report) {
			expectText(t, r, "unknownError", "no-such-plugin")
		},
		"errors": func(t *testing.T, r shared.Report) {
			expectValue(t, r, "failType", "rpc.ServerError")
			expectText(t, r, "unknownMethodError", "rpc: can't find method Plugin.NoSuchMethod")
		},
		"kill": func(t *testing.T, r shared.Report) {
			expectValue(t, r, "processGone", true)
			expectValue(t, r, "socketGone", true)
		},
		"version": func(t *testing.T, r shared.Report) { expectValue(t, r, "negotiated", 1.0) },
	}
}

func TestTheirHostRunsOurPlugin(t *testing.T) {
	for _, security := range []struct {
		name string
		host []string
	}{
		{"plain", nil},
		{"AutoMTLS", []string{"-automtls"}},
	} {
		for _, scenario := range orderly() {
			if scenario == "reattach" && security.host != nil {
				continue // go-plugin keeps keys only for its own launches
			}
			t.Run(security.name+"/"+scenario, func(t *testing.T) {
				outcome := theirRun{host: security.host, scenarios: []string{scenario}}.run(t)
				outcome.ExpectOrderly(t)
				if scenario != "reattach" { // its first client's kill finds the plugin gone, and warns
					outcome.ExpectQuiet(t)
				}
				if check := checks()[scenario]; check != nil {
					check(t, outcome.Reports[0])
				}
			})
		}
	}
}

// TestTheirHostScenariosAreAllHere compares the list above with the host's own list.
func TestTheirHostScenariosAreAllHere(t *testing.T) {
	outcome := theirRun{scenarios: []string{"all"}}.run(t)
	var names []string
	for _, report := range outcome.Reports {
		names = append(names, report.Scenario)
	}
	slices.Sort(names)
	want := append(orderly(), "exit")
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("scenarios of all: %v, tested here: %v", names, want)
	}
}

func TestTheirHostSeesOurPluginExit(t *testing.T) {
	outcome := theirRun{scenarios: []string{"exit"}}.run(t)
	report := outcome.Reports[0]
	t.Logf("the call in flight: %v", report.Values["callError"])
	if report.Ended.Status != "exit status 7" {
		t.Errorf("the plugin's end: %+v", report.Ended)
	}
	peers.ExpectFarewell(t, outcome.Farewell, false)
}

func TestTheirHostNegotiatesWithOurPlugin(t *testing.T) {
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	for _, test := range []struct {
		name, host, plugin, scenario string
		negotiated                   any // JSON's type
		startError                   string
	}{
		{"highest in common", "2,3", "1,2,3", "version", 3.0, ""},
		{"the only one in common", "1,2", "2,3", "version", 2.0, ""},
		{"host without versions", "legacy:2", "1,2,3", "version", 2.0, ""},
		{"none in common", "1", "2,3", "mismatch", nil, oldest},
		{"old host without a list", "2,3", "2,3", "oldhost", 2.0, ""},
		{"old host, lowest version unknown to it", "1", "2,3", "oldhost", nil, oldest},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.scenario == "oldhost" && runtime.GOOS == "windows" {
				t.Skip("only on Unix, where a process can replace its program")
			}
			outcome := theirRun{
				host:      []string{"-versions", test.host},
				scenarios: []string{test.scenario},
				plugin:    []string{"-versions", test.plugin},
			}.run(t)
			report := outcome.Reports[0]
			expectValue(t, report, "negotiated", test.negotiated)
			if test.startError != "" {
				// go-plugin kills an unusable plugin, so there is no orderly end.
				expectText(t, report, "startError", test.startError)
				return
			}
			outcome.ExpectOrderly(t)
			outcome.ExpectQuiet(t)
		})
	}
}

// TestTheirHostKeepsTheLastOutput only counts: go-plugin's host may hang up before it has
// read everything, in a race of its own (F13).
func TestTheirHostKeepsTheLastOutput(t *testing.T) {
	const runs = 30
	outcome := theirRun{scenarios: slices.Repeat([]string{"stdio-kill"}, runs)}.run(t)
	outcome.ExpectOrderly(t)
	outcome.ExpectQuiet(t)
	stdout, stderr := 0, 0
	for _, report := range outcome.Reports {
		if report.Values["stdoutArrived"] == true {
			stdout++
		}
		if report.Values["stderrArrived"] == true {
			stderr++
		}
	}
	t.Logf("printed last, then an orderly kill: stdout arrived in %d, stderr in %d of %d runs", stdout, stderr, runs)
}

func TestTheirHostDialsAnUnacceptedID(t *testing.T) {
	outcome := theirRun{scenarios: []string{"unclaimed"}, plugin: []string{"-unclaimed", "300ms"}}.run(t)
	outcome.ExpectOrderly(t)
	outcome.ExpectQuiet(t)
	errs, _ := outcome.Reports[0].Values["dialErrors"].([]any)
	if len(errs) != 2 {
		t.Fatalf("dial errors: %q", errs)
	}
	for _, text := range errs {
		if strings.Contains(fmt.Sprint(text), "deadline exceeded") {
			t.Errorf("an unaccepted dial was not refused: %v", text)
		}
	}
}

func expectValue(t *testing.T, r shared.Report, name string, want any) {
	t.Helper()
	if got := r.Values[name]; got != want {
		t.Errorf("%s: %s is %v, expected %v", r.Scenario, name, got, want)
	}
}

func expectText(t *testing.T, r shared.Report, name, part string) {
	t.Helper()
	if got, _ := r.Values[name].(string); !strings.Contains(got, part) {
		t.Errorf("%s: %s is %q, expected %q in it", r.Scenario, name, got, part)
	}
}
