// Host is a host program built on hashicorp/go-plugin. It runs a plugin, built on either
// library, through the gRPC scenarios.
//
//	host [flags] PLUGIN SCENARIO... [-- PLUGIN-ARGUMENT...]
//
// Each scenario launches its own plugin and prints one line of JSON, a shared.Report. The
// scenario "all" runs all of them. The exit status is 0 if all succeeded, 1 if any failed,
// and 2 for a wrong command line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
)

// errUsage reports an unusable command line.
var errUsage = errors.New("usage: host [flags] PLUGIN SCENARIO... [-- PLUGIN-ARGUMENT...]")

// options are the command line's settings.
type options struct {
	plugin       string
	arguments    []string
	scenarios    []scenario.Scenario
	versions     shared.Versions
	multiplex    bool
	autoMTLS     bool
	timeout      time.Duration
	startTimeout time.Duration
	log          io.Writer
}

func main() {
	opts, err := parseOptions(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(2)
	}
	passed := true
	output := json.NewEncoder(os.Stdout)
	for _, scenario := range opts.scenarios {
		report := run(context.Background(), opts, scenario)
		passed = passed && report.OK
		if err := output.Encode(report); err != nil {
			fmt.Fprintln(os.Stderr, "host:", err)
			os.Exit(1)
		}
	}
	if !passed {
		os.Exit(1)
	}
}

func parseOptions(arguments []string) (options, error) {
	opts := options{}
	flags := flag.NewFlagSet("host", flag.ContinueOnError)
	list := flags.String("versions", "1", "the host's application `versions`: 1, or 2,3, or legacy:1")
	flags.BoolVar(&opts.multiplex, "multiplex", false, "ask the plugin to multiplex brokered connections")
	flags.BoolVar(&opts.autoMTLS, "automtls", false, "ask the plugin for mutual TLS")
	flags.DurationVar(&opts.timeout, "timeout", 60*time.Second, "longest time for one scenario")
	flags.DurationVar(&opts.startTimeout, "start-timeout", 10*time.Second, "longest time for one start")
	verbose := flags.Bool("v", false, "write the library's log to standard error")
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if *verbose {
		opts.log = os.Stderr
	}
	var err error
	if opts.versions, err = shared.ParseVersions(*list); err != nil {
		return options{}, err
	}
	return opts, opts.takePositional(flags.Args())
}

// takePositional reads the plugin, the scenarios and the plugin's arguments.
func (o *options) takePositional(arguments []string) error {
	if split := slices.Index(arguments, "--"); split >= 0 {
		arguments, o.arguments = arguments[:split], arguments[split+1:]
	}
	if len(arguments) < 2 {
		return errUsage
	}
	o.plugin = arguments[0]
	for _, name := range arguments[1:] {
		if name == "all" {
			o.scenarios = append(o.scenarios, scenario.All()...)
			continue
		}
		found, ok := scenario.Named(name)
		if !ok {
			return fmt.Errorf("no scenario %q", name)
		}
		o.scenarios = append(o.scenarios, found)
	}
	return nil
}

// run runs one scenario from launch to end.
func run(ctx context.Context, opts options, scenario scenario.Scenario) shared.Report {
	ctx, cancel := context.WithTimeoutCause(ctx, opts.timeout,
		fmt.Errorf("scenario not done after %v", opts.timeout))
	defer cancel()
	began := time.Now()
	s := newSession(opts)
	err := s.perform(ctx, scenario)
	if endErr := s.Stop(ctx); err == nil {
		err = endErr
	}
	report := shared.Report{
		Scenario:     scenario.Name,
		OK:           err == nil,
		Values:       s.values,
		Milliseconds: milliseconds(time.Since(began)),
		Ended:        s.ended,
		Log:          s.warnings(),
	}
	if err != nil {
		report.Error = err.Error()
	}
	return report
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
