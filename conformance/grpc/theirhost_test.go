package grpc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// theirRun is one run of the go-plugin host on our plugin.
type theirRun struct {
	setting   setting
	host      []string // additional flags of the host
	scenarios []string
	plugin    []string // arguments of the plugin
}

// run runs the host to its end.
func (r theirRun) run(t *testing.T) peers.Outcome {
	t.Helper()
	return peers.HostRun{
		Host:   programs.theirHost,
		Plugin: programs.ourPlugin,
		Flags: append([]string{
			fmt.Sprintf("-multiplex=%v", r.setting.multiplexed), fmt.Sprintf("-automtls=%v", r.setting.secured),
		}, r.host...),
		Scenarios: r.scenarios,
		Arguments: r.plugin,
		Patience:  5 * time.Minute,
	}.Run(t)
}

// usual is a message of go-plugin's yamux about its unwritten data: yamux is not told that
// the plugin leaves. It also appears with go-plugin's own plugins.
const usual = "yamux: Failed to write "

// theirLimits are the scenarios that go-plugin's host fails with any plugin, with the
// errors.
func theirLimits(s setting) map[string]string {
	limits := map[string]string{"big-callback": "grpc: received message larger than max"} // the limit of its brokered server
	if !s.multiplexed {
		limits["redial"] = "timeout waiting for connection info" // F14, the dialer's half
	}
	return limits
}

func TestTheirHostRunsTheScenariosOnOurPlugin(t *testing.T) {
	eachSetting(t, func(t *testing.T, s setting) {
		outcome := theirRun{setting: s, scenarios: s.names(true, false)}.run(t)
		for _, report := range outcome.Reports {
			t.Logf("%-17s %7.1f ms %v", report.Scenario, report.Milliseconds, report.Values)
			limit := theirLimits(s)[report.Scenario]
			if report.OK != (limit == "") || !strings.Contains(report.Error, limit) {
				t.Errorf("%s: %q, expected %q", report.Scenario, report.Error, limit)
			}
		}
		outcome.ExpectOrderly(t)
		outcome.ExpectQuiet(t, usual)
	})
}

func TestTheirHostSeesOurPluginCrash(t *testing.T) {
	for name, status := range map[string]string{"exit": "exit status 7", "panic": "exit status 2"} {
		t.Run(name, func(t *testing.T) {
			outcome := theirRun{scenarios: []string{name}}.run(t)
			report := outcome.Reports[0]
			t.Logf("the call in flight: %v", report.Values["callError"])
			if !report.OK || report.Ended.Status != status {
				t.Errorf("%q; the plugin's end: %+v", report.Error, report.Ended)
			}
			peers.ExpectFarewell(t, outcome.Farewell, false)
		})
	}
}

func TestTheirHostNegotiatesWithOurPlugin(t *testing.T) {
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	for _, test := range []struct {
		name, host, plugin string
		negotiated         any // JSON's type
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
			report := outcome.Reports[0]
			if got := report.Values["negotiated"]; got != test.negotiated {
				t.Errorf("negotiated %v, expected %v", got, test.negotiated)
			}
			if report.OK != (test.startError == "") || !strings.Contains(report.Error, test.startError) {
				t.Errorf("got %q, expected %q", report.Error, test.startError)
			}
			if test.startError == "" { // go-plugin kills an unusable plugin
				outcome.ExpectOrderly(t)
				outcome.ExpectQuiet(t, usual)
			}
		})
	}
}

// TestTheirHostEndsOurPluginInOrderEveryTime looks for a race between a plugin's answer and
// its exit.
func TestTheirHostEndsOurPluginInOrderEveryTime(t *testing.T) {
	const runs = 30
	for _, s := range []setting{{}, {multiplexed: true}} {
		t.Run(s.String(), func(t *testing.T) {
			outcome := theirRun{setting: s, scenarios: slices.Repeat([]string{"stop"}, runs)}.run(t)
			for _, report := range outcome.Reports {
				if !report.OK {
					t.Error(report.Error)
				}
			}
			outcome.ExpectOrderly(t)
			outcome.ExpectQuiet(t, usual)
		})
	}
}
