package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
)

func (a *app) plugins() *cobra.Command {
	cmd := &cobra.Command{Use: "plugins", Short: "Manage plugins"}
	cmd.AddCommand(a.list(), a.search(), a.install(), a.remove(), a.verify(), a.describe())
	return cmd
}

func (a *app) list() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the installed plugins", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			items, err := a.installed(cmd.Context())
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
	var replace bool
	cmd := &cobra.Command{
		Use: "install FILE...", Short: "Install plugins", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := a.host.Store()
			if err != nil {
				return err
			}
			var installed []discovery.Item
			for _, source := range args {
				item, err := store.Install(cmd.Context(), source, discovery.Install{Replace: replace})
				if err != nil {
					return errors.Join(a.printInstalled(cmd.OutOrStdout(), installed), err)
				}
				installed = append(installed, *item)
			}
			return a.printInstalled(cmd.OutOrStdout(), installed)
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "replace an installed plugin of the same version")
	return cmd
}

func (a *app) remove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME [CONSTRAINT]", Short: `Remove a plugin, or the versions that meet a constraint such as "< 1.4"`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			versions, err := semver.ParseConstraint(strings.Join(args[1:], ""))
			if err != nil {
				return err
			}
			store, err := a.host.Store()
			if err != nil {
				return err
			}
			removed, err := store.Remove(cmd.Context(), "", args[0], versions)
			for i := range removed {
				removed[i].State = "removed"
			}
			return errors.Join(a.printInstalled(cmd.OutOrStdout(), removed), err)
		},
	}
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
