// Scaffold makes an application's own plugin SDK from Jackfield's template, and keeps it up
// to date. `scaffold help` lists its commands.
//
// The go command provides the template, as a module of the scaffolder's own version; it can
// also come from a folder. A repository is a function of the template and of the answers in
// its .jackfield.json. So an update can render the old and the new state of the template,
// and let git merge the difference.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// These are the exit codes.
const (
	exitOK        = 0
	exitFailure   = 1 // or check found a newer template
	exitConflicts = 2 // or an update left conflicts
	exitUsage     = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // a closed output must not leave a partial repository
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: term.IsTerminal(int(os.Stdin.Fd()))}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// cli is a run of the program, with its input and output.
type cli struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // in is interactive
}

// usageError is an error in the command line.
type usageError struct{ error }

// errConflicts and errOutdated end the program with their exit code; the command has
// already printed its message.
var (
	errConflicts = errors.New("conflicts")
	errOutdated  = errors.New("outdated")
)

type command struct {
	name, args, short string
	run               func(c *cli, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"new", "[DIR]", "make a repository for an application's own plugin SDK", (*cli).newCommand},
		{"rename", "[DIR]", "make a copy of the template your own, in place", (*cli).renameCommand},
		{"plugin", "NAME [DIR]", "make a plugin's repository", (*cli).pluginCommand},
		{"update", "", "merge a newer template into this repository", (*cli).updateCommand},
		{"diff", "", "show the changes of an update", (*cli).diffCommand},
		{"check", "", "check whether the template is newer than this repository", (*cli).checkCommand},
		{"generate", "", "make go.sum and the code of the .proto files again, without buf", (*cli).generateCommand},
		{"render", "DIR", "write the template's files for the record on stdin (update uses it)", (*cli).renderCommand},
	}
}

// run runs a command and returns the exit code.
func (c *cli) run(ctx context.Context, args []string) int {
	err := c.dispatch(ctx, args)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errConflicts):
		return exitConflicts
	case errors.Is(err, errOutdated):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintf(c.err, "scaffold: %v\n`scaffold help` explains the commands.\n", err)
		return exitUsage
	default:
		fmt.Fprintf(c.err, "scaffold: %v\n", err)
		return exitFailure
	}
}

func (c *cli) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 && !c.terminal || len(args) > 0 && isHelp(args[0]) {
		c.help()
		return nil
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return c.newCommand(ctx, args)
	}
	for _, command := range commands() {
		if command.name == args[0] {
			return command.run(c, ctx, args[1:])
		}
	}
	return usageError{fmt.Errorf("unknown command %q: to make a repository in that folder, run `scaffold new … %s`", args[0], args[0])}
}

func isHelp(arg string) bool {
	return arg == "help" || arg == "-h" || arg == "-help" || arg == "--help"
}

func (c *cli) help() {
	fmt.Fprint(c.out, `scaffold makes an application's own plugin SDK from a template.

  scaffold -module github.com/acme/acme-plugin-sdk -app acme -service Notifier ./acme-plugin-sdk

`)
	for _, command := range commands() {
		fmt.Fprintf(c.out, "  scaffold %-8s %-10s  %s\n", command.name, command.args, command.short)
	}
	fmt.Fprint(c.out, `
"scaffold COMMAND -h" lists the flags; without a command it is "new". In a terminal it
asks for missing flags. It needs Go and git.

Exit codes: 0 done; 1 failed, or check found a newer template; 2 the command line is
wrong, or an update left conflicts. ("go run" turns each of them but 0 into 1.)
`)
}

// flags returns the flag set of a command.
func (c *cli) flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet("scaffold "+name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // run prints errors
	set.Usage = func() {
		for _, command := range commands() {
			if command.name == name {
				fmt.Fprintf(c.out, "usage: scaffold %s [flags] %s\n%s\n\n", name, command.args, command.short)
			}
		}
		set.SetOutput(c.out)
		set.PrintDefaults()
		set.SetOutput(io.Discard)
	}
	return set
}

// parse returns the arguments without the flags; both may be mixed.
func parse(set *flag.FlagSet, args []string, most int) ([]string, error) {
	var rest []string
	for {
		if err := set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err}
		}
		if args = set.Args(); len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	if len(rest) > most {
		return nil, usageError{fmt.Errorf("%s: unexpected argument %q", set.Name(), rest[most])}
	}
	return rest, nil
}

// sayf reports a step to the user.
func (c *cli) sayf(format string, args ...any) {
	fmt.Fprintf(c.out, format+"\n", args...)
}
