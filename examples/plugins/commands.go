package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func (c command) list(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return usageError("list takes no arguments")
	}
	items, err := c.store.List(ctx)
	return errors.Join(c.out.items(items), err)
}

func (c command) install(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("plugins install", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sumsFile := flags.String("sums", "", "a `file` of SHA-256 sums that the plugins must have")
	replace := flags.Bool("replace", false, "replace a file of the same name and version")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return usageError(err.Error())
	}
	if flags.NArg() == 0 {
		return usageError("install needs a file")
	}
	var known sums.List
	if *sumsFile != "" {
		var err error
		if known, err = sums.Read(*sumsFile); err != nil {
			return err // also one broken line is a reason to look first
		}
	}
	var installed []discovery.Item
	for _, path := range flags.Args() {
		install := discovery.Install{Replace: *replace}
		if *sumsFile != "" {
			want, ok := known.Lookup(filepath.Base(path))
			if !ok {
				return errors.Join(c.out.items(installed), fmt.Errorf("%s: %w", path, sums.ErrNotListed))
			}
			install.Want = want
		}
		item, err := c.store.Install(ctx, path, install)
		if err != nil {
			return errors.Join(c.out.items(installed), err)
		}
		installed = append(installed, *item)
	}
	return c.out.items(installed)
}

func (c command) remove(ctx context.Context, args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return usageError("remove needs a name, and may have a constraint")
	}
	var versions semver.Constraint
	if len(args) == 2 {
		var err error
		if versions, err = semver.ParseConstraint(args[1]); err != nil {
			return usageError(err.Error())
		}
	}
	removed, err := c.store.Remove(ctx, "", args[0], versions)
	for i := range removed {
		removed[i].State = "removed"
	}
	return errors.Join(c.out.items(removed), err)
}

func (c command) verify(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return usageError("verify takes no arguments")
	}
	items, err := c.store.List(ctx)
	if err != nil {
		return err
	}
	bad := 0
	for _, item := range items {
		if item.State != discovery.StateOK {
			bad++
		}
	}
	if err := c.out.items(items); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d plugins are not as they were installed", bad, len(items))
	}
	return nil
}
