package discovery

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// State is how an installed plugin is.
type State string

// The states.
const (
	// StateOK: the file has the sum that was recorded.
	StateOK State = "ok"
	// StateChanged: it has another one. It is not run.
	StateChanged State = "changed"
	// StateUnlocked: no sum was recorded for it.
	StateUnlocked State = "unlocked"
	// StateMissing: a sum was recorded, and there is no file.
	StateMissing State = "missing"
	// StateUnusable: the file cannot be run; Item.Err is a *[Problem].
	StateUnusable State = "unusable"
)

// Item is a plugin in a store, or one that should be there.
type Item struct {
	ID

	// Path is the file. Empty for StateMissing.
	Path string `json:"path,omitempty"`
	// State is how it is.
	State State `json:"state"`
	// Sum is the file's. Zero if it was not read.
	Sum sums.Sum `json:"sha256,omitzero"`
	// Source is where it came from, if that was recorded.
	Source string `json:"source,omitempty"`
	// Err says more: a *[sums.MismatchError], a *[Problem], what the system said.
	// Nil for StateOK.
	Err error `json:"-"`
}

// keys are those under which a lock file may have the item.
func (i Item) keys(platform Platform) []lockfile.Key {
	if !i.Platform.IsZero() {
		return []lockfile.Key{i.ID.key(i.Platform)}
	}
	return []lockfile.Key{i.ID.key(platform), i.ID.key(Platform{})}
}

// List returns what is in the store and what should be, sorted by name, the
// newest version first. Each file is read and its sum compared. A lock file with
// broken parts counts as far as it can be read, and is the error beside the list;
// an entry that was in such a part shows as StateUnlocked.
func (s Store) List(ctx context.Context) ([]Item, error) {
	lock, err := lockfile.Read(s.LockPath())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	dir, absErr := filepath.Abs(s.Dir)
	if absErr != nil {
		return nil, absErr
	}
	search := Search{Naming: s.Naming, Dirs: []Dir{{Path: dir, Origin: OriginUser}}, Platform: s.Platform}
	found, findErr := search.Find(ctx)
	if findErr != nil {
		return nil, findErr
	}
	var items []Item
	missing := lock.Clone()
	for _, plugin := range found.Plugins {
		item := s.check(lock, plugin)
		items = append(items, item)
		for _, key := range item.keys(s.platform()) {
			missing.Remove(key)
		}
	}
	for _, problem := range found.Problems {
		item := Item{ID: problem.Plugin, Path: problem.Path, State: StateUnusable, Err: problem}
		items = append(items, item)
		for _, key := range item.keys(s.platform()) {
			missing.Remove(key)
		}
	}
	for _, entry := range missing.Entries() {
		platform, _ := ParsePlatform(entry.Platform)
		items = append(items, Item{
			ID:    ID{Kind: entry.Kind, Name: entry.Name, Version: entry.Version, Platform: platform},
			State: StateMissing, Source: entry.Source, Err: fs.ErrNotExist,
		})
	}
	sortItems(items)
	return items, err
}

// check compares one file with its entry.
func (s Store) check(lock *lockfile.File, plugin Plugin) Item {
	item := Item{ID: plugin.ID, Path: plugin.Path}
	sum, err := sums.OfFile(plugin.Path)
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
	item.State, item.Err = StateUnlocked, ErrUnlocked
	return item
}

// Verify compares what is in the store with what was recorded, and returns what
// does not agree: joined errors, of which each that is about a sum is a
// *[sums.MismatchError] that says both. Nil: all is as it was installed.
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
