// This program shows notely's plugin commands: it manages plugins and uses them. An
// application adds these commands to its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/jackfield-go/jackfield/discovery/store"

	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], color.Output, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, notely.App+":", err)
		os.Exit(1)
	}
}

// cli is the common state of all commands.
type cli struct {
	host           notelyhost.Host
	store          store.Store
	stdout, stderr io.Writer
	json           bool
	refuse, sums   string
	replace        bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := &cli{stdout: stdout, stderr: stderr}
	c.host = notelyhost.Host{Output: stderr, Logger: slog.New(slog.NewTextHandler(stderr, nil))}
	root := &cobra.Command{
		Use: notely.App, Short: "Use and manage the plugins of " + notely.App,
		SilenceUsage: true, SilenceErrors: true, // main prints the error
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print JSON, for programs")
	root.PersistentFlags().StringVar(&c.host.Dir, "dir", "", "directory of installed plugins (default: the user's)")
	use := c.command("use PLUGIN [TEXT...]", "Add texts to a plugin, and list its items", cobra.MinimumNArgs(1), c.use)
	use.Flags().StringVar(&c.refuse, "refuse", "", "refuse texts containing this")
	root.AddCommand(use, c.plugins())
	return root.ExecuteContext(ctx)
}

// command makes a command, with shell completion of plugin names for its arguments.
func (c *cli) command(use, short string, args cobra.PositionalArgs, run func(context.Context, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args) },
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			found, err := c.host.Find(cmd.Context())
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			var names []string
			for _, plugin := range found.Plugins {
				names = append(names, plugin.Name)
			}
			return names, cobra.ShellCompDirectiveDefault // or files
		},
	}
}

func (c *cli) use(ctx context.Context, args []string) (err error) {
	plugin, err := c.host.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()
	for _, text := range args[1:] {
		_, err := plugin.Add(ctx, text, c.approve)
		if errors.Is(err, notely.ErrRefused) {
			fmt.Fprintf(c.stderr, "%s: %v\n", text, err)
		} else if err != nil {
			return fmt.Errorf("add %q: %w", text, err)
		}
	}
	items := []notely.Item{}
	for item, err := range plugin.List(ctx) {
		if err != nil {
			return fmt.Errorf("list the items: %w", err)
		}
		items = append(items, item)
	}
	return c.print("items", items, "id", "text")
}

// approve runs here, when the plugin calls it.
func (c *cli) approve(_ context.Context, text string) error {
	if c.refuse != "" && strings.Contains(text, c.refuse) {
		return fmt.Errorf("%w: it contains %q", notely.ErrRefused, c.refuse)
	}
	return nil
}
