package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
)

func (a *app) plugins() *cobra.Command {
	cmd := &cobra.Command{
		Use: "plugins", Short: "Manage plugins",
		Args: cobra.NoArgs, // an unknown command is an error
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.list(), a.search(), a.install(), a.update(), a.remove(), a.verify(), a.describe())
	return cmd
}

func (a *app) list() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the installed plugins", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			items, err := a.installed(cmd.Context())
			if len(items) == 0 && err == nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "no plugins are installed")
			}
			return errors.Join(a.printInstalled(cmd.OutOrStdout(), items), err)
		},
	}
}

func (a *app) verify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Fail unless all plugins are as they were installed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			items, err := a.installed(cmd.Context())
			err = errors.Join(a.printInstalled(cmd.OutOrStdout(), items), err)
			for _, item := range items {
				if item.State != discovery.StateOK {
					err = errors.Join(err, fmt.Errorf("%s is not as it was installed: %s", item.ID, item.State))
				}
			}
			return err
		},
	}
}

func (a *app) search() *cobra.Command {
	return &cobra.Command{
		Use: "search [TEXT]", Short: "List the plugins in all directories whose names contain a text", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := a.host.Find(cmd.Context())
			if err != nil {
				return err
			}
			return a.printFound(cmd.OutOrStdout(), found, strings.Join(args, ""))
		},
	}
}

func (a *app) install() *cobra.Command {
	var list string
	var replace bool
	cmd := &cobra.Command{
		Use: "install FILE|URL...", Short: "Install plugins: programs, or archives of a release", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var installed []discovery.Item
			var err error
			for _, location := range args {
				var item *discovery.Item
				from := fetch.Source{Location: location, Sums: list}
				if item, err = a.fetch(cmd, from, discovery.Install{Replace: replace}); err != nil {
					break
				}
				installed = append(installed, *item)
			}
			return errors.Join(a.printInstalled(cmd.OutOrStdout(), installed), err)
		},
	}
	cmd.Flags().StringVar(&list, "sums", "", "file or URL of the list of SHA-256 sums (default: the one beside a URL)")
	cmd.Flags().BoolVar(&replace, "replace", false, "replace an installed plugin of the same version")
	return cmd
}

// update finds the file of a version by its predecessor's address, in which
// only the version differs.
func (a *app) update() *cobra.Command {
	return &cobra.Command{
		Use: "update NAME VERSION|FILE|URL", Short: "Replace the installed versions of a plugin by another one",
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			items, err := a.installed(cmd.Context())
			if err != nil {
				return err
			}
			i := slices.IndexFunc(items, func(item discovery.Item) bool { return item.Name == args[0] })
			if i < 0 {
				return fmt.Errorf("update %s: %w", args[0], discovery.ErrNotInstalled)
			}
			location, id := args[1], discovery.ID{Name: args[0]}
			if version, err := semver.Parse(location); err == nil {
				id.Version = version
				location = strings.ReplaceAll(items[i].Source, items[i].Version.String(), version.String())
			}
			updated, err := a.fetch(cmd, fetch.Source{Location: location}, discovery.Install{ID: id, Replace: true})
			if err != nil {
				return err
			}
			removed, err := a.removed(cmd.Context(), args[0], "!= "+updated.Version.String())
			if errors.Is(err, discovery.ErrNotInstalled) {
				err = nil // it replaced the only one
			}
			return errors.Join(a.printInstalled(cmd.OutOrStdout(), append(removed, *updated)), err)
		},
	}
}

// fetch installs one plugin, with a progress bar.
func (a *app) fetch(cmd *cobra.Command, from fetch.Source, install discovery.Install) (*discovery.Item, error) {
	bar := newProgress(cmd.ErrOrStderr())
	defer bar.clear()
	install.Progress = bar.show
	return a.host.Install(cmd.Context(), from, install)
}

func (a *app) remove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME [CONSTRAINT]", Short: `Remove a plugin, or the versions that meet a constraint such as "< 1.4"`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			removed, err := a.removed(cmd.Context(), args[0], strings.Join(args[1:], ""))
			return errors.Join(a.printInstalled(cmd.OutOrStdout(), removed), err)
		},
	}
}

// removed removes versions of a plugin, and returns them.
func (a *app) removed(ctx context.Context, name, constraint string) ([]discovery.Item, error) {
	versions, err := semver.ParseConstraint(constraint)
	if err != nil {
		return nil, err
	}
	store, err := a.host.Store()
	if err != nil {
		return nil, err
	}
	removed, err := store.Remove(ctx, "", name, versions)
	for i := range removed {
		removed[i].State = stateRemoved
	}
	return removed, err
}

func (a *app) describe() *cobra.Command {
	return &cobra.Command{
		Use: "describe PLUGIN", Short: "Ask a plugin, given by name or path, what it is",
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			plugin, err := a.host.Resolve(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			description, err := notelyhost.Describer().Describe(cmd.Context(), plugin.Path)
			if err != nil {
				return err
			}
			return a.printDescription(cmd.OutOrStdout(), plugin.Path, description)
		},
	}
}

func (a *app) installed(ctx context.Context) ([]discovery.Item, error) {
	store, err := a.host.Store()
	if err != nil {
		return nil, err
	}
	return store.List(ctx)
}

// completeNames completes the first argument with the names of plugins.
func (a *app) completeNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	found, err := a.host.Find(cmd.Context())
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, plugin := range found.Plugins {
		names = append(names, plugin.Name)
	}
	return names, cobra.ShellCompDirectiveDefault // or a path
}
