package discovery

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
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
	// Platform is the one that plugins run on. Zero: this one. Plugins for another
	// one are installed without being run.
	Platform Platform
	// Describer asks what is installed what it is, on its own platform. Set its
	// CookieKey.
	Describer Describer
}

// LockPath returns the path of the store's lock file.
func (s Store) LockPath() string { return cmp.Or(s.Lock, filepath.Join(s.Dir, StoreLock)) }

func (s Store) platform() Platform {
	if s.Platform.IsZero() {
		return ThisPlatform()
	}
	return s.Platform
}

// usable says what keeps plugins in the directory from being found; dir is its
// absolute path. One that does not exist can be made.
func (s Store) usable(dir string) error {
	f := &finder{Search: Search{Platform: s.platform()}}
	scan := &scan{search: f, dir: &Dir{Path: dir, Origin: OriginUser}}
	scan.info, scan.err = os.Stat(dir)
	if problem := scan.open(); problem != nil {
		problem.Path, problem.Origin = dir, OriginUser
		return problem
	}
	return nil
}

// sortItems sorts by name, the newest version first.
func sortItems(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), b.Version.Compare(a.Version),
			cmp.Compare(a.Platform.String(), b.Platform.String()), cmp.Compare(a.Path, b.Path))
	})
}
