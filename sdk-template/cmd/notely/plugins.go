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
	"github.com/jackfield-go/jackfield/discovery/store"
)

func (c *cli) plugins() *cobra.Command {
	install := c.command("install FILE|URL...", "Install programs, or archives of a release", cobra.MinimumNArgs(1), c.install)
	install.Flags().StringVar(&c.sums, "sums", "", "file or URL of the list of sums (default: the one beside the URL)")
	install.Flags().BoolVar(&c.replace, "replace", false, "replace an installed plugin of the same version")
	cmd := &cobra.Command{
		Use: "plugins", Short: "Manage plugins",
		Args: cobra.NoArgs, // an unknown command is an error
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			c.store, err = c.host.Store()
			return err
		},
	}
	cmd.AddCommand(
		install,
		c.command("list", "List the installed plugins", cobra.NoArgs, c.list),
		c.command("search [TEXT]", "List the plugins in all directories", cobra.MaximumNArgs(1), c.search),
		c.command("update NAME VERSION|FILE|URL", "Replace the installed versions of a plugin", cobra.ExactArgs(2), c.update),
		c.command("remove NAME [CONSTRAINT]", `Remove the versions of a plugin, such as "< 1.4"`, cobra.RangeArgs(1, 2), c.remove),
		c.command("verify", "Fail if a plugin was changed since its installation", cobra.NoArgs, c.verify),
		c.command("describe PLUGIN", "Ask a plugin for its description", cobra.ExactArgs(1), c.describe),
	)
	return cmd
}

func (c *cli) list(ctx context.Context, _ []string) error {
	items, err := c.store.List(ctx)
	return errors.Join(c.printInstalled(items), err)
}

func (c *cli) verify(ctx context.Context, args []string) error {
	return errors.Join(c.list(ctx, args), c.store.Verify(ctx))
}

func (c *cli) search(ctx context.Context, args []string) error {
	found, err := c.host.Find(ctx)
	if err != nil {
		return err
	}
	for _, problem := range found.Problems {
		fmt.Fprintln(c.stderr, "not used:", problem)
	}
	matching := slices.DeleteFunc(found.Plugins, func(p discovery.Plugin) bool {
		return !strings.Contains(p.Name, strings.Join(args, ""))
	})
	return c.print("plugins", matching, "name", "version", "origin", "path")
}

func (c *cli) install(ctx context.Context, args []string) error {
	var installed []store.Item
	for _, location := range args {
		item, err := c.fetch(ctx, fetch.Source{Location: location, Sums: c.sums}, store.InstallOptions{Replace: c.replace})
		if err != nil {
			return errors.Join(c.printInstalled(installed), err)
		}
		installed = append(installed, *item)
	}
	return c.printInstalled(installed)
}

func (c *cli) fetch(ctx context.Context, from fetch.Source, install store.InstallOptions) (*store.Item, error) {
	show, end := progress(c.stderr)
	defer end()
	install.Progress = show
	return c.host.Install(ctx, from, install)
}

// update changes only the version in the address of the installed plugin.
func (c *cli) update(ctx context.Context, args []string) error {
	items, err := c.store.List(ctx)
	if err != nil {
		return err
	}
	name, location, id := args[0], args[1], discovery.ID{Name: args[0]}
	i := slices.IndexFunc(items, func(item store.Item) bool { return item.Name == name })
	if i < 0 {
		return fmt.Errorf("%s: %w", name, store.ErrNotInstalled)
	}
	if version, err := semver.Parse(location); err == nil {
		id.Version = version
		was := items[i].Version.String()
		if was == "" || !strings.Contains(items[i].Source, was) {
			return fmt.Errorf("%s came from %s, and this address names no version: give a file or an address", name, items[i].Source)
		}
		location = strings.ReplaceAll(items[i].Source, was, version.String())
	}
	updated, err := c.fetch(ctx, fetch.Source{Location: location}, store.InstallOptions{ID: id, Replace: true})
	if err != nil {
		return err
	}
	removed, err := c.removeVersions(ctx, name, "!= "+updated.Version.String())
	if errors.Is(err, store.ErrNotInstalled) {
		err = nil // it replaced the only version
	}
	return errors.Join(c.printInstalled(append(removed, *updated)), err)
}

func (c *cli) remove(ctx context.Context, args []string) error {
	removed, err := c.removeVersions(ctx, args[0], strings.Join(args[1:], ""))
	return errors.Join(c.printInstalled(removed), err)
}

func (c *cli) removeVersions(ctx context.Context, name, constraint string) ([]store.Item, error) {
	versions, err := semver.ParseConstraint(constraint)
	if err != nil {
		return nil, err
	}
	removed, err := c.store.Remove(ctx, "", name, versions)
	for i := range removed {
		removed[i].State = "removed"
	}
	return removed, err
}

func (c *cli) describe(ctx context.Context, args []string) error {
	plugin, err := c.host.Resolve(ctx, args[0])
	if err != nil {
		return err
	}
	if plugin.Description == nil {
		return plugin.NoDescription
	}
	type described struct {
		*discovery.Description

		Path   string `json:"path"`
		Speaks []int  `json:"speaks"`
	}
	rows := []described{{plugin.Description, plugin.Path, plugin.Description.Speaks()}}
	return c.print("plugins", rows, "name", "version", "speaks", "path")
}

func (c *cli) printInstalled(items []store.Item) error {
	return c.print("plugins", append([]store.Item{}, items...), "name", "version", "platform", "sha256", "state")
}
