package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// State is how an installed plugin is.
type State string

// The states.
const (
	// StateOK: the file has the recorded sum.
	StateOK State = "ok"
	// StateChanged: it has another one. It is not run.
	StateChanged State = "changed"
	// StateUnlocked: no sum was recorded for it.
	StateUnlocked State = "unlocked"
	// StateMissing: a sum was recorded, and there is no file.
	StateMissing State = "missing"
	// StateUnusable: the file cannot be run; Item.Err is a *[discovery.Problem].
	StateUnusable State = "unusable"
)

// Item is a plugin in a store, or a missing one.
type Item struct {
	discovery.ID

	// Path is the file. Empty for a missing file, and for all if the directory cannot
	// be used.
	Path string `json:"path,omitempty"`
	// State is how it is.
	State State `json:"state"`
	// Sum is the file's. Zero if it was not read.
	Sum sums.Sum `json:"sha256,omitzero"`
	// Source is the recorded source, if any.
	Source string `json:"source,omitempty"`
	// Description is the program's description at its installation. Nil from List,
	// and for a program without one.
	Description *discovery.Description `json:"description,omitempty"`
	// Err is the cause: a *[sums.MismatchError], a *[discovery.Problem], the system's
	// error. Nil for StateOK.
	Err error `json:"-"`
}

// keys are the item's possible keys in a lock file.
func (i Item) keys(platform discovery.Platform) []lockfile.Key {
	if !i.Platform.IsZero() {
		return []lockfile.Key{key(i.ID, i.Platform)}
	}
	return []lockfile.Key{key(i.ID, platform), key(i.ID, discovery.Platform{})}
}

// List returns the present and the missing plugins, sorted by name, the newest
// version first. Each file is read and its sum compared. A lock file with broken
// parts counts as far as it can be read, and is the error beside the list; an entry
// in a broken part shows as StateUnlocked.
func (s Store) List(ctx context.Context) ([]Item, error) {
	items, _, err := s.list(ctx)
	return items, err
}

// list is List; the problem is an unusable directory.
func (s Store) list(ctx context.Context) ([]Item, *discovery.Problem, error) {
	lock, err := lockfile.Read(s.LockPath())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	dir, absErr := filepath.Abs(s.Dir)
	if absErr != nil {
		return nil, nil, absErr
	}
	found, unusable, findErr := s.find(ctx, dir)
	if findErr != nil {
		return nil, nil, findErr
	}
	items := make([]Item, 0, len(found.Plugins)+len(found.Problems))
	for _, plugin := range found.Plugins {
		items = append(items, s.check(ctx, lock, plugin))
	}
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("list the plugins in %s: %w", s.Dir, context.Cause(ctx))
	}
	for _, problem := range found.Problems {
		item := Item{ID: problem.Plugin, Path: problem.Path, State: StateUnusable, Err: problem}
		if problem.Reason == discovery.ReasonCollision || problem.Reason == discovery.ReasonDuplicate {
			// A Resolver with this lock file takes the plugin all the same.
			if locked := s.check(ctx, lock, discovery.Plugin{ID: problem.Plugin, Path: problem.Path}); locked.State == StateOK {
				item = locked
			}
		}
		items = append(items, item)
	}
	items = append(items, s.missing(lock, items, unusable)...)
	sortItems(items)
	return items, unusable, err
}

// missing are the entries without an item. Where the directory was not searched
// there may be files.
func (s Store) missing(lock *lockfile.File, items []Item, unusable *discovery.Problem) []Item {
	state, reason := StateMissing, fs.ErrNotExist
	if unusable != nil {
		state, reason = StateUnusable, error(unusable)
	}
	rest := lock.Clone()
	for _, item := range items {
		if !item.misnamed() {
			for _, key := range item.keys(s.platform()) {
				rest.Remove(key)
			}
		}
	}
	var missing []Item
	for _, entry := range rest.Entries() {
		platform, _ := discovery.ParsePlatform(entry.Platform)
		missing = append(missing, Item{
			ID:    discovery.ID{Kind: entry.Kind, Name: entry.Name, Version: entry.Version, Platform: platform},
			State: state, Source: entry.Source, Err: reason,
		})
	}
	return missing
}

// problem is why the item is StateUnusable; nil if it is not, or for a reason of
// the system's.
func (i Item) problem() *discovery.Problem {
	problem, _ := i.Err.(*discovery.Problem) //nolint:errorlint // List puts it there, as it is
	return problem
}

// misnamed reports whether the file is no plugin's by its name, however it begins.
func (i Item) misnamed() bool {
	problem := i.problem()
	return problem != nil && problem.Reason == discovery.ReasonName
}

// check compares one file with its entry.
func (s Store) check(ctx context.Context, lock *lockfile.File, plugin discovery.Plugin) Item {
	item := Item{ID: plugin.ID, Path: plugin.Path}
	sum, err := sumOf(ctx, plugin.Path)
	if err != nil {
		item.State, item.Err = StateUnusable, err
		return item
	}
	item.Sum = sum
	for _, key := range item.keys(s.platform()) {
		entry, ok := lock.Lookup(key)
		if !ok {
			continue
		}
		item.State, item.Source = StateOK, entry.Source
		if entry.Sum != sum {
			item.State, item.Err = StateChanged, &sums.MismatchError{Path: plugin.Path, Want: entry.Sum, Got: sum}
		}
		return item
	}
	item.State, item.Err = StateUnlocked, discovery.ErrUnlocked
	return item
}

func sumOf(ctx context.Context, path string) (sums.Sum, error) {
	file, err := files.Open(path)
	if err != nil {
		return sums.Sum{}, err
	}
	defer file.Close()
	return sums.OfReader(files.UntilDone{Ctx: ctx, Reader: file})
}

// Verify compares the store with its records, and returns the differences: joined
// errors, for a wrong sum a *[sums.MismatchError] with both sums. Nil: all is as it
// was installed.
func (s Store) Verify(ctx context.Context) error {
	items, err := s.List(ctx)
	errs := []error{err}
	for _, item := range items {
		switch item.State {
		case StateOK:
		case StateMissing:
			errs = append(errs, &os.PathError{Op: "verify plugin", Path: item.ID.String(), Err: fs.ErrNotExist})
		case StateUnlocked:
			errs = append(errs, &os.PathError{Op: "verify plugin", Path: item.Path, Err: item.Err})
		default:
			errs = append(errs, item.Err)
		}
	}
	return errors.Join(errs...)
}
