package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackfield-go/jackfield/discovery/internal/atomicfile"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// StoreLock is the name of a store's lock file.
const StoreLock = "plugins.lock.json"

// Store is a directory into which plugins are installed: the user's, as
// [Places.UserDir] names it. A lock file in it records their sums; give it to a
// [Resolver], or let another file be the one that decides.
type Store struct {
	// Dir is the directory. It is made when something is installed. Required.
	Dir string
	// Naming is how the files are called. Required.
	Naming Naming
	// Lock is the lock file. Empty: StoreLock in Dir.
	Lock string
	// Platform is the one that plugins run on. Zero: this one.
	Platform Platform
}

// LockPath returns the path of the store's lock file.
func (s Store) LockPath() string { return cmp.Or(s.Lock, filepath.Join(s.Dir, StoreLock)) }

// Install says what to install.
type Install struct {
	// ID is which plugin it is. What is zero in it is taken from the name of the
	// file, if that says it. Where neither says the platform it is the store's.
	ID ID
	// Want is the sum that the file must have. Zero: any, which is recorded.
	Want sums.Sum
	// Source is recorded as where the plugin came from. Empty: the file's path.
	Source string
	// Replace takes the place of a file that is the same plugin in the same
	// version with another sum. Without it that is an [ErrInstalled].
	Replace bool
}

// ErrInstalled is in the error for a plugin that is there already, with another
// content.
var ErrInstalled = errors.New("another file is installed under that name and version")

// Install copies a file into the store and records its sum: atomically, so that
// there is the whole plugin with a sum or none of it. A wrong sum is a
// *[sums.MismatchError], a file name that does not say enough a *[NameError].
func (s Store) Install(ctx context.Context, path string, install Install) (*Item, error) {
	id, err := s.identify(filepath.Base(path), install.ID)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("install a plugin: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("install %s: %w", path, cmp.Or(err, error(&Problem{Path: path, Reason: ReasonNotRegular})))
	}
	if install.Source == "" {
		install.Source = path
		if absolute, err := filepath.Abs(path); err == nil {
			install.Source = absolute
		}
	}
	install.ID = id
	return s.InstallFrom(ctx, file, install)
}

// identify completes the ID with what a file's name says.
func (s Store) identify(base string, id ID) (ID, error) {
	named, err := s.Naming.Parse(base)
	if err != nil && id.Name == "" {
		return ID{}, err
	}
	if err == nil && (id.Name == "" || id.Name == named.Name && id.Kind == named.Kind) {
		if id.Name == "" {
			id.Kind, id.Name = named.Kind, named.Name
		}
		if id.Version.IsZero() {
			id.Version = named.Version
		}
		if id.Platform.IsZero() {
			id.Platform = named.Platform
		}
	}
	return id, nil
}

// InstallFrom is Install of what r gives, to its end. Install.ID must have a
// name.
func (s Store) InstallFrom(ctx context.Context, r io.Reader, install Install) (*Item, error) {
	item, err := s.install(ctx, r, install)
	if err != nil {
		return nil, fmt.Errorf("install plugin %v: %w", install.ID, err)
	}
	return item, nil
}

func (s Store) install(ctx context.Context, r io.Reader, install Install) (*Item, error) {
	id := install.ID
	if s.Naming.Glob == "" {
		id.Platform = cmp.Or(id.Platform, s.platform())
	}
	id.Exe = cmp.Or(id.Platform, s.platform()).exe()
	name, err := s.Naming.Format(id)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, err
	}
	temp, err := atomicfile.Create(s.Dir, 0o755)
	if err != nil {
		return nil, err
	}
	defer temp.Discard()
	path := filepath.Join(s.Dir, name)
	sum, err := sums.OfReader(io.TeeReader(untilDone{ctx, r}, temp))
	if err != nil {
		return nil, err
	}
	if !install.Want.IsZero() && install.Want != sum {
		return nil, &sums.MismatchError{Path: cmp.Or(install.Source, path), Want: install.Want, Got: sum}
	}
	entry := lockfile.Entry{Key: id.key(cmp.Or(id.Platform, s.platform())), Sum: sum, Source: install.Source}
	isNew := false
	err = lockfile.Update(ctx, s.LockPath(), func(lock *lockfile.File) (err error) {
		isNew, err = place(lock, entry, temp, path, install.Replace)
		return err
	})
	if err != nil {
		if isNew {
			_ = os.Remove(path) // its sum could not be recorded
		}
		return nil, err
	}
	return &Item{ID: id, Path: path, State: StateOK, Sum: sum, Source: entry.Source}, nil
}

// place puts the file and its entry where they belong. It runs under the lock
// file's lock, so of two that install the same one comes second.
func place(lock *lockfile.File, entry lockfile.Entry, temp *atomicfile.Temp, path string, replace bool) (isNew bool, err error) {
	there, err := sums.OfFile(path)
	isNew = errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !isNew:
		return false, err
	case isNew:
	case there == entry.Sum:
		lock.Set(entry)
		return false, nil // it may be running, and Windows would not replace it
	case !replace:
		return false, fmt.Errorf("%w (%s, SHA-256 %v)", ErrInstalled, path, there)
	}
	if err := temp.Commit(path); err != nil {
		return false, err
	}
	lock.Set(entry)
	return isNew, nil
}

// untilDone is a reader that fails once the context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

func (s Store) platform() Platform {
	if s.Platform.IsZero() {
		return ThisPlatform()
	}
	return s.Platform
}

// ErrNotInstalled is in the error for a plugin that the store does not have.
var ErrNotInstalled = errors.New("it is not installed")

// Remove removes a plugin's files and their entries: those of the versions that
// the constraint allows, pre-releases and other platforms included, and of all
// versions for the zero Constraint. It returns what was removed. If there was
// nothing the error wraps [ErrNotInstalled].
func (s Store) Remove(ctx context.Context, kind, name string, versions semver.Constraint) ([]Item, error) {
	var removed []Item
	versions = versions.WithPrereleases()
	items, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove plugin %s: %w", name, ErrNotInstalled)
	}
	err = lockfile.Update(ctx, s.LockPath(), func(lock *lockfile.File) error {
		for _, item := range items {
			if item.Kind != kind || item.Name != name || !versions.Allows(item.Version) {
				continue
			}
			if err := os.Remove(item.Path); item.Path != "" && err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			for _, key := range item.keys(s.platform()) {
				lock.Remove(key)
			}
			removed = append(removed, item)
		}
		return nil
	})
	if err == nil && len(removed) == 0 {
		err = ErrNotInstalled
	}
	if err != nil {
		return removed, fmt.Errorf("remove plugin %s: %w", name, err)
	}
	return removed, nil
}

// sortItems sorts by name, the newest version first.
func sortItems(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), b.Version.Compare(a.Version),
			cmp.Compare(a.Platform.String(), b.Platform.String()), cmp.Compare(a.Path, b.Path))
	})
}
