// Host is a host program built on hashicorp/go-plugin. It runs a plugin, built on either
// library, through scenarios of the probe over net/rpc.
//
//	host [flags] PLUGIN SCENARIO... [-- PLUGIN-ARGUMENT...]
//
// Each scenario launches its own plugin and prints one line of JSON, a shared.Report. The
// scenario "all" runs every scenario that a sound plugin passes; "list" prints their names
// and exits. The exit status is 0 if all succeeded, 1 if any failed, and 2 for a wrong
// command line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// errUsage reports an unusable command line.
var errUsage = errors.New("usage: host [flags] PLUGIN SCENARIO... [-- PLUGIN-ARGUMENT...]")

// options are the command line's settings.
type options struct {
	plugin       string
	arguments    []string
	scenarios    []scenario
	versions     shared.Versions
	environment  []string
	autoMTLS     bool
	timeout      time.Duration
	startTimeout time.Duration
	readerBytes  int
	log          io.Writer
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == withoutListCommand {
		fmt.Fprintln(os.Stderr, "host:", execWithoutList(os.Args[2:]))
		os.Exit(2)
	}
	opts, err := parseOptions(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(2)
	}
	if opts.plugin == "" {
		listScenarios(os.Stdout)
		return
	}
	passed := true
	output := json.NewEncoder(os.Stdout)
	for _, scenario := range opts.scenarios {
		report := runScenario(context.Background(), opts, scenario)
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
	flags.BoolVar(&opts.autoMTLS, "automtls", false, "ask the plugin for mutual TLS")
	flags.DurationVar(&opts.timeout, "timeout", 20*time.Second, "longest time for one scenario")
	flags.DurationVar(&opts.startTimeout, "start-timeout", 10*time.Second, "longest time for one start")
	flags.IntVar(&opts.readerBytes, "bytes", 8<<20, "length of the reader scenario's stream")
	flags.Func("env", "`KEY=VALUE` for the plugin's environment (repeatable)", func(pair string) error {
		opts.environment = append(opts.environment, pair)
		return nil
	})
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
	if len(arguments) == 1 && arguments[0] == "list" {
		return nil
	}
	if len(arguments) < 2 {
		return errUsage
	}
	o.plugin = arguments[0]
	for i, name := range arguments[1:] {
		if name == "--" {
			o.arguments = arguments[i+2:]
			break
		}
		found := scenariosNamed(name)
		if len(found) == 0 {
			return fmt.Errorf("no scenario %q; choose from: %s", name, strings.Join(scenarioNames(), " "))
		}
		o.scenarios = append(o.scenarios, found...)
	}
	if len(o.scenarios) == 0 {
		return errUsage
	}
	return nil
}
