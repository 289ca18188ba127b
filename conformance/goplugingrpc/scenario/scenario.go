// Package scenario has the scenarios for hosts and gRPC plugins on any library. The
// go-plugin host program and Jackfield's tests run the same functions, each on its own
// [Host].
package scenario

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
)

// Host is one launched plugin in a library's host.
type Host interface {
	// Dispense returns a client of the named plugin.
	Dispense(ctx context.Context, name string) (*probe.Client, error)
	// Ping checks that the plugin is alive.
	Ping(ctx context.Context) error
	// Version is the negotiated application version.
	Version() int
	// Pid is the plugin's process ID.
	Pid() int
	// Stdout and Stderr contain the plugin's output.
	Stdout() *shared.Output
	Stderr() *shared.Output
	// Stop ends the plugin in order, once.
	Stop(ctx context.Context) error
	// Ended waits until the library detects the end of the process, and returns its status
	// ("exit status 3"), empty for 0.
	Ended(ctx context.Context) (string, error)
}

// Run is one run of a scenario.
type Run struct {
	Host

	// Probe was dispensed from the host.
	Probe *probe.Client
	// Values are a scenario's observations for the report.
	Values map[string]any
}

// See notes a value.
func (r *Run) See(name string, value any) { r.Values[name] = value }

// Scenario is one test of a plugin. Its error describes the deviations.
type Scenario struct {
	Name  string
	About string
	Do    func(ctx context.Context, r *Run) error
	// Heavy scenarios take long under TLS without showing more.
	Heavy bool
	// Fatal scenarios end without an orderly end of the plugin.
	Fatal bool
}

// All returns all scenarios.
func All() []Scenario {
	return []Scenario{
		{Name: "dispense", About: "the probe twice, from one server, and a missing name", Do: dispense},
		{Name: "unary", About: "values of several sizes, there and back", Do: unary},
		{Name: "errors", About: "each status code, an unknown method and service; calls work afterwards", Do: statuses},
		{Name: "streams", About: "server, client and both-way streams, to their end", Do: streams},
		{Name: "broken-streams", About: "failing streams, and abandoned streams", Do: brokenStreams},
		{Name: "abandon", About: "an abandoned call ends in the plugin too", Do: abandon},
		{Name: "parallel", About: "many calls at once on one connection", Do: parallel, Heavy: true},
		{Name: "callback", About: "the plugin dials the host's services, one after the other", Do: callback},
		{Name: "callback-many", About: "100 brokered connections from the plugin, one after the other", Do: callbackMany, Heavy: true},
		{Name: "callback-parallel", About: "40 brokered connections from the plugin at once", Do: callbackParallel},
		{Name: "offer", About: "the host dials the plugin's services, several open at once", Do: offer},
		{Name: "offer-many", About: "100 brokered connections from the host, one after the other", Do: offerMany, Heavy: true},
		{Name: "offer-parallel", About: "40 brokered connections from the host at once", Do: offerParallel},
		{Name: "both-ways", About: "brokered connections from both sides at once", Do: bothWays},
		{Name: "redial", About: "one ID of the plugin, dialled several times", Do: redial, Heavy: true},
		{Name: "stdio", About: "the plugin's output arrives in order", Do: stdio},
		{Name: "ping", About: "ping while it lives", Do: ping},
		{Name: "version", About: "the plugin has the negotiated version", Do: version},
		{Name: "reflection", About: "the services and their messages, listed by v1 and v1alpha", Do: reflection},
		{Name: "big-answer", About: "64 MiB from the plugin to the host", Do: bigAnswer, Heavy: true},
		{Name: "big", About: "64 MiB from the host to the plugin, and back", Do: big, Heavy: true},
		{Name: "big-callback", About: "64 MiB over a brokered connection dialled by the plugin, both ways", Do: bigCallback, Heavy: true},
		{Name: "big-offer", About: "64 MiB over a brokered connection dialled by the host, both ways", Do: bigOffer, Heavy: true},
		{Name: "stop", About: "an orderly end: the process is gone", Do: stop},
		{Name: "stop-brokered", About: "an orderly end with brokered connections still open", Do: stopBrokered},
		{Name: "exit", About: "the plugin leaves by itself in the middle of a call", Do: exit, Fatal: true},
		{Name: "panic", About: "the plugin panics in the middle of a call", Do: panics, Fatal: true},
	}
}

// Names lists the scenarios for a setting. Under TLS, heavy scenarios are left out. fatal
// selects the fatal scenarios or the others.
func Names(secured, fatal bool) []string {
	var names []string
	for _, s := range All() {
		if s.Fatal == fatal && !(s.Heavy && secured) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Named returns the scenario with that name.
func Named(name string) (Scenario, bool) {
	for _, s := range All() {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// expect returns an error unless got equals want.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, expected %v", what, got, want)
	}
	return nil
}
