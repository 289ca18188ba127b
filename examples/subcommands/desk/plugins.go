package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/examples/subcommands/command"
)

// desk has the plugins found.
type desk struct {
	found          *discovery.Found
	logger         *slog.Logger
	stdout, stderr io.Writer
}

// open searches for plugins. It runs none.
func open(ctx context.Context, stdout, stderr io.Writer) (*desk, error) {
	places := discovery.Places{App: command.App, Program: true, Config: true, Path: true}
	search := discovery.Search{Naming: discovery.Naming{App: command.App}, Dirs: places.Dirs()}
	found, err := search.Find(ctx)
	if err != nil {
		return nil, err
	}
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return &desk{found: found, logger: logger, stdout: stdout, stderr: stderr}, nil
}

// names returns the names of the plugins, sorted.
func (d *desk) names() []string {
	var names []string
	for _, plugin := range d.found.Plugins {
		names = append(names, plugin.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// resolve returns the newest version of a plugin. It runs none.
func (d *desk) resolve(ctx context.Context, name string) (*discovery.Resolved, error) {
	resolver := discovery.Resolver{Logger: d.logger}
	return resolver.Resolve(ctx, d.found, discovery.Request{Name: name})
}

// run runs a plugin as a subcommand.
func (d *desk) run(ctx context.Context, name string, args []string) error {
	found, err := d.resolve(ctx, name)
	if err != nil {
		return err
	}
	cfg := host.Config{
		Handshake: command.Handshake,
		Versions:  command.Versions,
		Command:   host.Command(found.Path),
		Name:      name,
		AutoMTLS:  host.MTLSRequired,
		Logger:    d.logger,
		Outputs:   host.Outputs{PrintedStdout: d.stdout, PrintedStderr: d.stderr},
	}
	status := 0
	err = host.With(ctx, cfg, func(ctx context.Context, client *host.Client) error {
		cmd, err := host.Dispense(ctx, client, command.Plugin)
		if err != nil {
			return err
		}
		work := func(ctx context.Context) (err error) {
			status, err = cmd.Run(ctx, args)
			return err
		}
		err = client.WithTerminal(ctx, work)
		if errors.Is(err, host.ErrNoTerminal) || errors.Is(err, host.ErrTerminalInUse) {
			return work(ctx) // many commands need none
		}
		return err
	})
	if err == nil && status != 0 {
		return statusError(status)
	}
	return err
}

// summarize asks the plugins of subcommands for a line about themselves. The answers are
// kept as long as the files stay the same.
func (d *desk) summarize(ctx context.Context, commands []*cobra.Command) {
	cache, err := openCache()
	if err != nil {
		d.logger.WarnContext(ctx, "the plugins are asked again each time", "error", err)
	}
	resolver := discovery.Resolver{
		Describer: &discovery.Describer{CookieKey: command.Handshake.MagicCookieKey}, Cache: cache,
	}
	for _, cmd := range commands {
		if cmd.GroupID != ofPlugins {
			continue
		}
		cmd.Short = "(no description)"
		plugin, err := resolver.Resolve(ctx, d.found, discovery.Request{Name: cmd.Name()})
		if err == nil && plugin.Description != nil && plugin.Description.Summary != "" {
			cmd.Short = plugin.Description.Summary
		}
	}
	if cache == nil {
		return
	}
	if err := cache.Save(ctx); err != nil {
		d.logger.WarnContext(ctx, "the plugins are asked again next time", "error", err)
	}
}

// openCache returns the cache of descriptions. It can be used after an error too.
func openCache() (*discovery.Cache, error) {
	path, err := discovery.CachePath(command.App)
	if err != nil {
		return nil, err
	}
	return discovery.OpenCache(path)
}

// list prints the plugins, and the files that are none.
func (d *desk) list() error {
	table := tabwriter.NewWriter(d.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tPLACE\tFILE")
	for _, plugin := range d.found.Plugins {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", plugin.Name, cmp.Or(plugin.Version.String(), "-"), plugin.Origin, plugin.Path)
	}
	errs := []error{table.Flush()}
	for _, problem := range d.found.Problems {
		if problem.Reason == discovery.ReasonRepeated { // often in PATH
			continue
		}
		_, err := fmt.Fprintln(d.stderr, "not used:", problem)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
