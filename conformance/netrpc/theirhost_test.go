package netrpc_test

import (
	"testing"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// theirRun is one run of the go-plugin host on our plugin.
type theirRun struct {
	host      []string // flags of the host
	scenarios []string
	plugin    []string // arguments of the plugin
}

// run runs the host to its end. A failing scenario fails the test.
func (r theirRun) run(t *testing.T) peers.Outcome {
	t.Helper()
	outcome := peers.HostRun{
		Host:      programs.theirHost,
		Plugin:    programs.ourPlugin,
		Flags:     r.host,
		Scenarios: r.scenarios,
		Arguments: r.plugin,
		Patience:  2 * patience,
	}.Run(t)
	for _, report := range outcome.Reports {
		if !report.OK {
			t.Errorf("%s: %s", report.Scenario, report.Error)
		}
	}
	return outcome
}
