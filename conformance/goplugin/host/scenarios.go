package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// scenario is one test of a plugin.
type scenario struct {
	name  string
	about string
	// run runs it on a session before its launch.
	run func(context.Context, *session) error
	// extra excludes it from "all": it needs certain versions on the command line, or
	// go-plugin's own plugins fail it.
	extra bool
}

// scenarios returns all scenarios, in the order of "all".
func scenarios() []scenario {
	return []scenario{
		{name: "dispense", about: "two instances of the probe, and a missing name", run: dispense},
		{name: "calls", about: "values of several shapes and sizes, there and back", run: calls},
		{name: "parallel", about: "many calls at once on one connection", run: parallel},
		{name: "errors", about: "errors of the plugin, of an unknown method; calls work afterwards", run: failures},
		{name: "abandon", about: "an abandoned call, and calls after it", run: abandon},
		{name: "callback", about: "the plugin dials the host's service, one by one and at once", run: callback},
		{name: "serveback", about: "the host dials the plugin's service", run: serveBack},
		{name: "reader", about: "the plugin reads a raw stream of the host to its end", run: reader},
		{name: "stdio", about: "the plugin's output arrives at the host's writers", run: stdio},
		{name: "ping", about: "ping while it lives, and after its end", run: ping},
		{name: "version", about: "the negotiated version is the highest in common", run: version},
		{name: "kill", about: "an orderly end: how long, process and socket gone", run: kill},
		{name: "exit", about: "the plugin leaves by itself in the middle of a call", run: exit},
		{name: "reattach", about: "bare connects, then a second host on the running plugin", run: reattach},
		{name: "mismatch", about: "no version in common: the start fails with this reason", run: mismatch, extra: true},
		{name: "oldhost", about: "an old host without a list gets the lowest version", run: oldHost, extra: true},
		{name: "stdio-kill", about: "print, then end at once: did it arrive? (never fails)", run: stdioKill, extra: true},
		{name: "unclaimed", about: "two dials of an unserved ID, then a dispense", run: unclaimed, extra: true},
	}
}

// scenariosNamed returns the scenario with that name, or all scenarios of "all".
func scenariosNamed(name string) []scenario {
	var found []scenario
	for _, scenario := range scenarios() {
		if scenario.name == name || (name == "all" && !scenario.extra) {
			found = append(found, scenario)
		}
	}
	return found
}

func scenarioNames() []string {
	names := []string{"all"}
	for _, scenario := range scenarios() {
		names = append(names, scenario.name)
	}
	return names
}

func listScenarios(output io.Writer) {
	for _, scenario := range scenarios() {
		note := ""
		if scenario.extra {
			note = " (not in all)"
		}
		_, _ = fmt.Fprintf(output, "%-12s %s%s\n", scenario.name, scenario.about, note)
	}
}

// runScenario runs one scenario from launch to end.
func runScenario(ctx context.Context, opts options, scenario scenario) shared.Report {
	ctx, cancel := context.WithTimeoutCause(ctx, opts.timeout,
		fmt.Errorf("scenario not done after %v", opts.timeout))
	defer cancel()
	began := time.Now()
	session := newSession(opts)
	err := scenario.run(ctx, session)
	if endErr := session.end(ctx); err == nil {
		err = endErr
	}
	report := shared.Report{
		Scenario:     scenario.name,
		OK:           err == nil,
		Values:       session.values,
		Milliseconds: milliseconds(time.Since(began)),
		Ended:        session.ended,
		Log:          session.warnings(),
	}
	if err != nil {
		report.Error = err.Error()
	}
	return report
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// expect returns an error unless got equals want.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, expected %v", what, got, want)
	}
	return nil
}
