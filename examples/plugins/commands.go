package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// session is shared by all commands.
type session struct {
	store store.Store
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
		return usageError("install needs a file or an address")
	}
	var installed []store.Item
	for _, location := range args {
		item, err := c.installOne(ctx, s, location)
		if err != nil {
			return errors.Join(s.out.some(installed), err)
		}
		installed = append(installed, *item)
	}
	return s.out.some(installed)
}

func (c *command) installOne(ctx context.Context, s session, location string) (*store.Item, error) {
	item, err := fetch.Fetcher{}.Install(ctx, s.store, fetch.Source{Location: location, Sums: c.sums}, store.InstallOptions{
		Replace: c.replace, Undescribed: c.undescribed,
	})
	var silent *discovery.DescribeError
	switch {
	case errors.Is(err, store.ErrInstalled):
		err = fmt.Errorf("%w; use -replace to replace it", err)
	case errors.Is(err, fetch.ErrUnverified):
		err = fmt.Errorf("%w; use -sums with a list", err)
	case errors.As(err, &silent):
		err = fmt.Errorf("%w; use -undescribed for a plugin built with go-plugin, which does not answer", err)
	}
	return item, err
}

func remove(ctx context.Context, s session, args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return usageError("remove needs a name and an optional constraint")
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
		if item.State != store.StateOK {
			bad++
		}
	}
	err = errors.Join(s.out.all(items), err)
	if bad > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d plugins do not match their installation", bad, len(items)))
	}
	return err
}
