package goplugingrpc_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
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
func run(t *testing.T, flags, scenarios, pluginArguments []string) []shared.Report {
	t.Helper()
	return peers.HostRun{
		Host:      programs.host,
		Plugin:    programs.plugin,
		Flags:     flags,
		Scenarios: scenarios,
		Arguments: pluginArguments,
		Patience:  2 * time.Minute,
	}.Run(t).Reports
}

// baseline returns the errors of the scenarios that go-plugin fails with itself.
func baseline(multiplexed bool) map[string]string {
	const tooLarge = "grpc: received message larger than max" // 4 MiB into a plugin, or a brokered server
	errors := map[string]string{"big": tooLarge, "big-callback": tooLarge, "big-offer": tooLarge}
	if !multiplexed {
		errors["redial"] = "timeout waiting for connection info" // F14
	}
	return errors
}

// raced are the scenarios that go-plugin sometimes fails with itself: parallel multiplexed
// connections to its host have no order.
func raced(multiplexed bool) []string {
	if !multiplexed {
		return nil
	}
	return []string{"callback-parallel", "both-ways"}
}

func TestPeersPassTheirOwnScenarios(t *testing.T) {
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
			reports := run(t, flags, names, nil)
			if len(reports) != len(names) {
				t.Errorf("%d reports of %d scenarios", len(reports), len(names))
			}
			for _, report := range reports {
				t.Logf("%-17s %7.1f ms, killed %v %v", report.Scenario, report.Milliseconds, report.Ended.Killed, report.Values)
				want := baseline(setting.multiplexed)[report.Scenario]
				switch {
				case !report.OK && slices.Contains(raced(setting.multiplexed), report.Scenario):
					t.Logf("%s: a race in go-plugin: %s", report.Scenario, report.Error)
				case report.OK != (want == "") || !strings.Contains(report.Error, want):
					t.Errorf("%s: %q, expected %q\n%s", report.Scenario, report.Error, want, strings.Join(report.Log, "\n"))
				}
			}
		})
	}
}

func TestPeersNegotiate(t *testing.T) {
	const oldest = "incompatible API version with plugin. Plugin version: 2, Client versions: [1]"
	for _, test := range []struct {
		name, host, plugin string
		negotiated         float64 // JSON's number type
		startError         string
	}{
		{"highest in common", "2,3", "1,2,3", 3, ""},
		{"plugin without versions", "1,2", "legacy:2", 2, ""},
		{"host without versions", "legacy:2", "1,2,3", 2, ""},
		{"none in common", "1", "2,3", 0, oldest},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := run(t, []string{"-versions", test.host}, []string{"version"}, []string{"-versions", test.plugin})[0]
			if got, _ := report.Values["negotiated"].(float64); got != test.negotiated {
				t.Errorf("negotiated %v, expected %v", got, test.negotiated)
			}
			if report.OK != (test.startError == "") || !strings.Contains(report.Error, test.startError) {
				t.Errorf("got %q, expected %q", report.Error, test.startError)
			}
		})
	}
}
