// This program is an application's command for its users to manage the plugins
// of its greeting host:
//
//	plugins list
//	plugins install [-sums SHA256SUMS] [-replace] [-undescribed] file|address...
//	plugins remove name [constraint]
//	plugins verify
//
// Each accepts -dir directory and -json, before or after the command. An
// application's own command calls the same functions, under its own names.
//
// The status is 0 for success, 1 for a failure or, with verify, a changed
// plugin, and 2 for an error on the command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// app is the application: its plugins are called greet-plugin-<name>.
const app = "greet"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "plugins:", err)
		os.Exit(status(err))
	}
}

// status is the process's exit status.
func status(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return 2
	}
	return 1
}

// usageError is an error on the command line.
type usageError string

func (e usageError) Error() string {
	return string(e) + " (list, install, remove or verify; -h shows the help)"
}

const usage = `Usage:
  plugins list                                  what is installed, and how it is
  plugins install [flags] file|address...
  plugins remove name [constraint]              such as: remove loud "< 1.4"
  plugins verify                                status 1 unless all is as it was installed

Flags of all, before the command or after it:
  -dir directory   with the plugins (default: the user's)
  -json            print JSON, for programs

Flags of install:
  -sums file       a list of SHA-256 sums that the files must have (default for
                   an address: the one beside it)
  -replace         replace a file of the same name and version
  -undescribed     take a plugin that does not say what it is
`

// command is a parsed command line.
type command struct {
	dir         string
	json        bool
	sums        string
	replace     bool
	undescribed bool
}

// parse reads flags up to the first other argument.
func (c *command) parse(name string, args []string, stderr io.Writer) ([]string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error has the text
	flags.StringVar(&c.dir, "dir", c.dir, "")
	flags.BoolVar(&c.json, "json", c.json, "")
	if name == "install" {
		flags.StringVar(&c.sums, "sums", "", "")
		flags.BoolVar(&c.replace, "replace", false, "")
		flags.BoolVar(&c.undescribed, "undescribed", false, "")
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		return nil, err
	case err != nil:
		return nil, usageError(err.Error())
	}
	return flags.Args(), nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c command
	args, err := c.parse("plugins", args, stderr)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("there is no command")
	}
	commands := map[string]func(context.Context, session, []string) error{
		"list": list, "install": c.install, "remove": remove, "verify": verify,
	}
	name := args[0]
	do, known := commands[name]
	if !known {
		return usageError(fmt.Sprintf("there is no command %q", name))
	}
	if args, err = c.parse(name, args[1:], stderr); err != nil {
		return err
	}
	if c.dir == "" {
		if c.dir, err = (discovery.Places{App: app}).UserDir(); err != nil {
			return err
		}
	}
	return do(ctx, session{
		store: store.Store{Dir: c.dir, Naming: discovery.Naming{App: app}},
		out:   output{w: stdout, json: c.json},
	}, args)
}
