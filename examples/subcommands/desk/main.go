// This program has plugins as subcommands, as kubectl, git and gh have:
//
//	desk --help            all subcommands, with a line about each
//	desk greet Ann         runs the plugin desk-plugin-greet
//	desk sign              the same; the plugin asks for a password, and runs an editor
//	desk plugins           where the plugins lie, and which files are none
//	desk completion bash   completion for a shell
//
// A plugin is a file desk-plugin-<name> beside this program, in its directory
// plugins, in ~/.config/desk/plugins, in PATH, or in another customary directory
// (docs/discovery.md).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/examples/subcommands/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var status statusError
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case err != nil:
		fmt.Fprintln(os.Stderr, command.App+":", err)
		os.Exit(1)
	}
}

// statusError is the exit status of a subcommand that has explained itself.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	d, err := open(ctx, stdout, stderr)
	if err != nil {
		return err
	}
	root := &cobra.Command{
		Use: command.App + " COMMAND", Short: "A program with plugins as subcommands",
		SilenceUsage: true, SilenceErrors: true, // main prints the error
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return d.explain(cmd, args[0])
		},
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(&cobra.Command{
		Use: "plugins", Short: "List the plugins, and files that are none", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return d.list() },
	})
	root.InitDefaultHelpCmd() // now, so that no plugin takes their names
	root.InitDefaultCompletionCmd()
	d.addTo(root)

	// Only these show the plugins' own words, so only these run them all.
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		d.summarize(ctx, root.Commands())
		help(cmd, args)
	})
	if slices.Equal(args[:min(len(args), 1)], []string{cobra.ShellCompRequestCmd}) {
		d.summarize(ctx, root.Commands())
	}
	return root.ExecuteContext(ctx)
}

// addTo adds a subcommand for each plugin. The program's own subcommands come first.
func (d *desk) addTo(root *cobra.Command) {
	root.AddGroup(&cobra.Group{ID: ofPlugins, Title: "Commands of plugins:"})
	own := root.Commands()
	for _, name := range d.names() {
		if slices.ContainsFunc(own, func(c *cobra.Command) bool { return c.Name() == name }) {
			continue
		}
		root.AddCommand(&cobra.Command{
			Use: name + " [ARGUMENT...]", GroupID: ofPlugins,
			DisableFlagParsing: true, DisableFlagsInUseLine: true, // they are the plugin's
			RunE: func(cmd *cobra.Command, args []string) error { return d.run(cmd.Context(), name, args) },
		})
	}
}

const ofPlugins = "plugins"

// explain returns why there is no such subcommand: with the nearest name, or with
// the files of that name that cannot run.
func (d *desk) explain(root *cobra.Command, name string) error {
	_, err := d.resolve(root.Context(), name)
	var none *discovery.NoneError
	if !errors.As(err, &none) || len(none.Rejected)+len(none.Problems) > 0 {
		return err
	}
	text := fmt.Sprintf("there is no command %q", name)
	root.SuggestionsMinimumDistance = 2 // edits, for the program's own
	if meant := cmp.Or(none.Nearest, strings.Join(root.SuggestionsFor(name), " or ")); meant != "" {
		text += fmt.Sprintf("; is %q meant?", meant)
	}
	return errors.New(text + " (" + command.App + " --help lists all)")
}
