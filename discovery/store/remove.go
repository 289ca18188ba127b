package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

// ErrNotInstalled is in the error for a plugin missing from the store.
var ErrNotInstalled = errors.New("it is not installed")

// Remove removes a plugin's files and their entries: those of versions within the
// constraint, pre-releases and other platforms included, and of all versions for the
// zero Constraint. It returns the removed ones, also with an error about the rest.
// Files whose names do not parse, however they begin, are nobody's plugin and stay.
// If there was nothing the error wraps [ErrNotInstalled]; a *[discovery.Problem] says
// that the directory cannot be used.
func (s Store) Remove(ctx context.Context, kind, name string, versions semver.Constraint) ([]Item, error) {
	removed, err := s.remove(ctx, kind, name, versions.WithPrereleases())
	if err != nil {
		return removed, fmt.Errorf("remove plugin %s: %w", name, err)
	}
	return removed, nil
}

func (s Store) remove(ctx context.Context, kind, name string, versions semver.Constraint) ([]Item, error) {
	items, unusable, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	if unusable != nil {
		return nil, unusable
	}
	var chosen []Item
	for _, item := range items {
		if !item.misnamed() && item.Kind == kind && item.Name == name && versions.Allows(item.Version) {
			chosen = append(chosen, item)
		}
	}
	if len(chosen) == 0 {
		return nil, ErrNotInstalled
	}
	var removed []Item
	var failed []error // does not keep the removal from being recorded
	err = lockfile.Update(ctx, s.LockPath(), func(lock *lockfile.File) error {
		for _, item := range chosen {
			if err := item.remove(); err != nil {
				failed = append(failed, err)
				continue
			}
			for _, key := range item.keys(s.platform()) {
				lock.Remove(key)
			}
			removed = append(removed, item)
		}
		return nil
	})
	return removed, errors.Join(append(failed, err)...)
}

// remove removes the file, if there is one.
func (i Item) remove() error {
	if problem := i.problem(); problem != nil && problem.Reason == discovery.ReasonNotRegular {
		return problem
	}
	if i.Path == "" {
		return nil
	}
	if err := files.Remove(i.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
