// Package scenario is what a host puts a gRPC plugin through, whichever library
// either is built on: the go-plugin host program and Jackfield's tests run the
// same functions, each on its own [Host].
package scenario

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
)

// Host is one launched plugin, as a library's host has it.
type Host interface {
	// Dispense returns a client of the plugin of that name.
	Dispense(ctx context.Context, name string) (*probe.Client, error)
	// Ping asks the plugin for a sign of life.
	Ping(ctx context.Context) error
	// Version is the negotiated application version.
	Version() int
	// Pid is the plugin's process ID.
	Pid() int
	// Stdout and Stderr have what the plugin printed.
	Stdout() *shared.Output
	Stderr() *shared.Output
	// Stop ends the plugin in order, once.
	Stop(ctx context.Context) error
	// Ended waits until the library knows that the process has ended, and
	// returns its status ("exit status 3"), empty for 0.
	Ended(ctx context.Context) (string, error)
}

// Run is one run of a scenario.
type Run struct {
	Host

	// Probe was dispensed from the host.
	Probe *probe.Client
	// Values is what a scenario notes for the report.
	Values map[string]any
}

// See notes a value.
func (r *Run) See(name string, value any) { r.Values[name] = value }

// Scenario is one thing to put a plugin through. The error says what did not come
// out as it should.
type Scenario struct {
	Name  string
	About string
	Do    func(ctx context.Context, r *Run) error
	// Heavy ones take long under TLS and show nothing more there.
	Heavy bool
	// Fatal ones end with a plugin that did not leave in order.
	Fatal bool
}

// All returns all of them.
func All() []Scenario {
	return []Scenario{
		{Name: "dispense", About: "the probe twice, which is one server, and a name that does not exist", Do: dispense},
		{Name: "unary", About: "values of several sizes, there and back", Do: unary},
		{Name: "errors", About: "each status code, an unknown method and service; calls work afterwards", Do: statuses},
		{Name: "streams", About: "server, client and both-way streams, to their end", Do: streams},
		{Name: "broken-streams", About: "streams that fail, and streams that are given up", Do: brokenStreams},
		{Name: "abandon", About: "a call that is given up ends at the plugin too", Do: abandon},
		{Name: "parallel", About: "many calls at once on one connection", Do: parallel, Heavy: true},
		{Name: "callback", About: "the plugin dials what the host serves, one after the other", Do: callback},
		{Name: "callback-many", About: "100 brokered connections from the plugin, one after the other", Do: callbackMany, Heavy: true},
		{Name: "callback-parallel", About: "40 brokered connections from the plugin at once", Do: callbackParallel},
		{Name: "offer", About: "the host dials what the plugin serves, several open at once", Do: offer},
		{Name: "offer-many", About: "100 brokered connections from the host, one after the other", Do: offerMany, Heavy: true},
		{Name: "offer-parallel", About: "40 brokered connections from the host at once", Do: offerParallel},
		{Name: "both-ways", About: "brokered connections from both sides at once", Do: bothWays},
		{Name: "redial", About: "one ID of the plugin's, dialled several times", Do: redial, Heavy: true},
		{Name: "stdio", About: "what the plugin prints arrives in order", Do: stdio},
		{Name: "ping", About: "ping while it lives", Do: ping},
		{Name: "version", About: "the plugin is of the negotiated version", Do: version},
		{Name: "reflection", About: "the services and their messages, listed by v1 and v1alpha", Do: reflection},
		{Name: "big-answer", About: "64 MiB from the plugin to the host", Do: bigAnswer, Heavy: true},
		{Name: "big", About: "64 MiB from the host to the plugin, and back", Do: big, Heavy: true},
		{Name: "big-callback", About: "64 MiB over a brokered connection that the plugin dialled, both ways", Do: bigCallback, Heavy: true},
		{Name: "big-offer", About: "64 MiB over a brokered connection that the host dialled, both ways", Do: bigOffer, Heavy: true},
		{Name: "stop", About: "an orderly end: the process is gone", Do: stop},
		{Name: "stop-brokered", About: "an orderly end with brokered connections still open", Do: stopBrokered},
		{Name: "exit", About: "the plugin leaves by itself in the middle of a call", Do: exit, Fatal: true},
		{Name: "panic", About: "the plugin panics in the middle of a call", Do: panics, Fatal: true},
	}
}

// Names lists the scenarios to run in a setting: all, or under TLS those that are
// not heavy; the fatal ones, or the others.
func Names(secured, fatal bool) []string {
	var names []string
	for _, s := range All() {
		if s.Fatal == fatal && !(s.Heavy && secured) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Named returns the scenario of that name.
func Named(name string) (Scenario, bool) {
	for _, s := range All() {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}

// expect is an error unless got is want.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, expected %v", what, got, want)
	}
	return nil
}
