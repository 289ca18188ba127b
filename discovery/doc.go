// Package discovery turns directories into a list of plugins for a host to launch,
// and picks the right one: by name, version, platform, and by an agreed sum.
//
//	search := discovery.Search{
//		Naming: discovery.Naming{App: "greet"},
//		Dirs:   discovery.Places{App: "greet"}.Dirs(),
//	}
//	found, err := search.Find(ctx) // found.Problems lists files left out, with reasons
//
//	resolver := discovery.Resolver{Lock: lock, Describer: &discovery.Describer{CookieKey: key}, Cache: cache}
//	plugin, err := resolver.Resolve(ctx, found, discovery.Request{
//		Name: "loud", Version: constraint, AppVersions: []int{5, 6},
//	})
//
// The result has a path, a version and, if the lock file knows the plugin, a sum.
// This package does not depend on core/host; a launch with it is
//
//	host.Config{
//		Command: host.Command(plugin.Path),
//		Verify:  verify.Config{Verifier: discovery.Verifier(plugin, verify.Checksum)}, // nil without a sum
//	}
//
// # Order of the search
//
// Find looks at overrides, then at the directories in their order. A file is a plugin
// if its name parses ([Naming]), this platform can execute it and not everybody can
// change it. Any other file with the beginning of a plugin's name, and any second
// file of a plugin, is a [Problem] with a [Reason].
//
// Resolve goes through the plugins of the requested name, the newest first. It
// compares the version, then the file's sum with the lock file, and only then runs a
// copy with that sum to describe it ([Describer]). The first fit plugin is the
// answer; a [NoneError] gives the reason against each of them.
//
// Behind it are packages of their own: store (installing, listing, verifying,
// removing), fetch (installing from addresses, with signatures), lockfile (agreed
// plugins), sums (SHA-256 and SHA256SUMS files), semver (versions and constraints).
//
// Nothing here is global. Settings are structs, and their zero fields have a
// documented meaning. Anything that takes time takes a context.
package discovery

// Reading order of the files:
//
//	places                   directories of plugins
//	name, parse              names of files
//	search, scan, merge      from directories to a list
//	ways, problem            targets and ways of links; reasons to leave a file out
//	resolve, candidate,      from the list to one plugin, or to none
//	file, none
//	describe, copy, child    asking a binary for its description, by way of a copy
//	description              its answer
//	cache                    results that need not be found again
