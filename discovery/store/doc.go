// Package store keeps installed plugins: a directory with a lock file in it. It
// installs programs and the archives of releases, says how each plugin is,
// verifies sums and removes versions.
//
//	plugins := store.Store{
//		Dir:       dir, // discovery.Places{App: "greet"}.UserDir()
//		Naming:    discovery.Naming{App: "greet"},
//		Describer: discovery.Describer{CookieKey: key},
//	}
//	item, err := plugins.Install(ctx, "greet-plugin-loud_v1.4.0_linux_amd64", store.Install{})
//	items, err := plugins.List(ctx)
//	err = plugins.Verify(ctx)
//	removed, err := plugins.Remove(ctx, "", "loud", constraint)
//
// Package fetch installs from addresses into a store.
//
// # The files of this package
//
//	store           the directory, and what it finds there
//	list, remove    after an installation
//	install         the entrance: what is installed, and as which plugin
//	installation    the steps of one installation, in
//	staging         a private directory, through
//	archive,        the program of a release,
//	format, claim   what the program is and says, to
//	placement       its name in the store, and its sum in the lock file
package store
