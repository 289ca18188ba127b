package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// session is what all commands have.
type session struct {
	store discovery.Store
	out   output
}

func list(ctx context.Context, s session, args []string) error {
	if len(args) > 0 {
		return usageError("list takes no arguments")
	}
	items, err := s.store.List(ctx)
	return errors.Join(s.out.all(items), err)
}

func (c *command) install(ctx context.Context, s session, args []string) error {
	if len(args) == 0 {
		return usageError("install needs a file")
	}
	var known sums.List
	if c.sums != "" {
		var err error
		if known, err = sums.Read(c.sums); err != nil {
			return err // also one broken line is a reason to look first
		}
	}
	var installed []discovery.Item
	for _, path := range args {
		item, err := c.installOne(ctx, s, known, path)
		if err != nil {
			return errors.Join(s.out.some(installed), err)
		}
		installed = append(installed, *item)
	}
	return s.out.some(installed)
}

func (c *command) installOne(ctx context.Context, s session, known sums.List, path string) (*discovery.Item, error) {
	install := discovery.Install{Replace: c.replace, Undescribed: c.undescribed}
	if c.sums != "" {
		var err error
		if install.Want, err = known.Want(filepath.Base(path)); err != nil {
			return nil, err
		}
	}
	item, err := s.store.Install(ctx, path, install)
	if errors.Is(err, discovery.ErrInstalled) {
		err = fmt.Errorf("%w; -replace takes its place", err)
	}
	var silent *discovery.DescribeError
	if errors.As(err, &silent) {
		err = fmt.Errorf("%w; -undescribed takes a plugin that is built with go-plugin, which does not answer", err)
	}
	return item, err
}

func remove(ctx context.Context, s session, args []string) error {
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
	removed, err := s.store.Remove(ctx, "", args[0], versions)
	for i := range removed {
		removed[i].State, removed[i].Err = "removed", nil
	}
	return errors.Join(s.out.some(removed), err)
}

func verify(ctx context.Context, s session, args []string) error {
	if len(args) > 0 {
		return usageError("verify takes no arguments")
	}
	items, err := s.store.List(ctx)
	bad := 0
	for _, item := range items {
		if item.State != discovery.StateOK {
			bad++
		}
	}
	err = errors.Join(s.out.all(items), err)
	if bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d plugins are not as they were installed", bad, len(items)))
	}
	return err
}
