// Package store keeps installed plugins: a directory with a lock file in it. It
// installs programs and the archives of releases, lists each plugin with its state,
// verifies sums and removes versions.
//
//	plugins := store.Store{
//		Dir:       dir, // discovery.Places{App: "greet"}.UserDir()
//		Naming:    discovery.Naming{App: "greet"},
//		Describer: discovery.Describer{CookieKey: key},
//	}
//	item, err := plugins.Install(ctx, "greet-plugin-loud_v1.4.0_linux_amd64", store.InstallOptions{})
//	items, err := plugins.List(ctx)
//	err = plugins.Verify(ctx)
//	removed, err := plugins.Remove(ctx, "", "loud", constraint)
//
// Package fetch installs from addresses into a store.
package store

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
)

// Reading order of the files:
//
//	store           the directory, and a search of it
//	list, remove    after an installation
//	install         the entrance: a file and its plugin
//	install_steps   the steps of one installation, in
//	staging         a private directory, through
//	archive,        the program of a release,
//	binary, claim   its platform and description, to
//	placement       its name in the store, and its sum in the lock file

// LockFile is the name of a store's lock file.
const LockFile = "plugins.lock.json"

// Store is a directory of installed plugins: the user's, from
// [discovery.Places.UserDir]. A lock file in it records their sums; give it to a
// [discovery.Resolver], or use another lock file there.
type Store struct {
	// Dir is the directory. It is made when something is installed. Required.
	Dir string
	// Naming is how the files are called. Required.
	Naming discovery.Naming
	// Lock is the lock file. Empty: LockFile in Dir.
	Lock string
	// Platform is the plugins' platform. Zero: this one. Plugins for another one are
	// installed without being run.
	Platform discovery.Platform
	// Describer asks installed programs for their descriptions, on their own
	// platform. Set its CookieKey.
	Describer discovery.Describer
}

// LockPath returns the path of the store's lock file.
func (s Store) LockPath() string { return cmp.Or(s.Lock, filepath.Join(s.Dir, LockFile)) }

func (s Store) platform() discovery.Platform {
	return cmp.Or(s.Platform, discovery.ThisPlatform())
}

// find searches the store in the absolute path dir. The problem is an unusable
// directory: plugins in it would not be found.
func (s Store) find(ctx context.Context, dir string) (*discovery.Found, *discovery.Problem, error) {
	search := discovery.Search{
		Naming: s.Naming, Dirs: []discovery.Dir{{Path: dir, Origin: discovery.OriginUser}}, Platform: s.Platform,
	}
	found, err := search.Find(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, problem := range found.Problems {
		if problem.Path == dir {
			return found, problem, nil
		}
	}
	return found, nil, nil
}

// key is a plugin in the lock file, with that platform.
func key(id discovery.ID, platform discovery.Platform) lockfile.Key {
	return lockfile.Key{Kind: id.Kind, Name: id.Name, Version: id.Version, Platform: platform.String()}
}

// sortItems sorts by name, the newest version first.
func sortItems(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), b.Version.Compare(a.Version),
			cmp.Compare(a.Platform.String(), b.Platform.String()), cmp.Compare(a.Path, b.Path))
	})
}
