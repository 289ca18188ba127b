// This program is the command of an application that lets its users manage the
// plugins of its greeting host:
//
//	plugins [-dir directory] [-json] list
//	plugins [-dir directory] [-json] install [-sums SHA256SUMS] [-replace] file...
//	plugins [-dir directory] [-json] remove name [constraint]
//	plugins [-dir directory] [-json] verify
//
// An application's own command calls the same functions, under its own names.
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
)

// app is the application: its plugins are called greet-plugin-<name>.
const app = "greet"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "plugins:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "plugins:", err)
		os.Exit(1)
	}
}

// usageError is a mistake on the command line.
type usageError string

func (e usageError) Error() string {
	return string(e) + " (list, install, remove or verify; -h says more)"
}

// command is what all commands have.
type command struct {
	store discovery.Store
	out   output
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("plugins", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "the `directory` with the plugins (default: the user's)")
	asJSON := flags.Bool("json", false, "print JSON, for programs")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return usageError(err.Error())
	}
	if *dir == "" {
		user, err := discovery.Places{App: app}.UserDir()
		if err != nil {
			return err
		}
		*dir = user
	}
	c := command{
		store: discovery.Store{Dir: *dir, Naming: discovery.Naming{App: app}},
		out:   output{w: stdout, json: *asJSON},
	}
	if flags.NArg() == 0 {
		return usageError("there is no command")
	}
	rest := flags.Args()[1:]
	switch name := flags.Arg(0); name {
	case "list":
		return c.list(ctx, rest)
	case "install":
		return c.install(ctx, rest, stderr)
	case "remove":
		return c.remove(ctx, rest)
	case "verify":
		return c.verify(ctx, rest)
	default:
		return usageError(fmt.Sprintf("there is no command %q", name))
	}
}
