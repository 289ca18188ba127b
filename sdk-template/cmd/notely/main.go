// This program is notely, as far as its plugins are concerned: it manages them
// and uses them. An application adds these commands to its own.
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

	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
)

var version = "0.1.0" // a release sets it: -ldflags "-X main.version=1.2.3"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], color.Output, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, notely.App+":", err)
		os.Exit(1)
	}
}

// app is what all commands share.
type app struct {
	host notelyhost.Host
	json bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := &app{host: notelyhost.Host{Output: stderr, Logger: slog.New(slog.NewTextHandler(stderr, nil))}}
	root := &cobra.Command{
		Use:           notely.App,
		Short:         "Use and manage the plugins of " + notely.App,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true, // main prints them
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON, for programs")
	root.PersistentFlags().StringVar(&a.host.Dir, "dir", "", "directory of installed plugins (default: the user's)")
	root.AddCommand(a.use(), a.plugins())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// use is the command that calls a plugin.
func (a *app) use() *cobra.Command {
	var refuse string
	cmd := &cobra.Command{
		Use:               "use PLUGIN [TEXT...]",
		Short:             "Add texts to a plugin, given by name or path, and list its items",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeNames,
	}
	cmd.Flags().StringVar(&refuse, "refuse", "", "refuse texts that contain this")
	approve := func(_ context.Context, text string) error {
		if refuse != "" && strings.Contains(text, refuse) {
			return fmt.Errorf("%w: it contains %q", notely.ErrRefused, refuse)
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		plugin, err := a.host.Open(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, plugin.Close()) }()
		for _, text := range args[1:] {
			_, err := plugin.Add(cmd.Context(), text, approve)
			if errors.Is(err, notely.ErrRefused) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", text, err)
			} else if err != nil {
				return fmt.Errorf("add %q: %w", text, err)
			}
		}
		items := []notely.Item{}
		for item, err := range plugin.List(cmd.Context()) {
			if err != nil {
				return fmt.Errorf("list the items: %w", err)
			}
			items = append(items, item)
		}
		return a.printItems(cmd.OutOrStdout(), items)
	}
	return cmd
}
