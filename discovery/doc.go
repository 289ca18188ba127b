// Package discovery turns directories into a list of plugins that a host can
// launch, and picks the right one: by name, version, platform, and by the sum
// that somebody agreed to.
//
//	search := discovery.Search{
//		Naming: discovery.Naming{App: "greet"},
//		Dirs:   discovery.Places{App: "greet"}.Dirs(),
//	}
//	found, err := search.Find(ctx) // found.Problems says what was left out, and why
//
//	resolver := discovery.Resolver{Lock: lock, Describer: &discovery.Describer{CookieKey: key}, Cache: cache}
//	plugin, err := resolver.Resolve(ctx, found, discovery.Request{
//		Name: "loud", Version: constraint, Protocols: []int{5, 6},
//	})
//
// The result has a path, a version and, if the lock file knows the plugin, a sum.
// With core/host, which this package does not depend on, a launch of it is
//
//	host.Config{
//		Command: host.Command(plugin.Path),
//		Verify:  verify.Config{Verifier: discovery.Verifier(plugin, verify.Checksum)}, // nil without a sum
//	}
//
// # In which order
//
// Find looks at overrides, then at the directories in their order. A file is a
// plugin if its name parses ([Naming]), this platform can execute it and not
// everybody can change it. Whatever else begins as a plugin's name does, and
// whatever was found twice, is a [Problem] with a [Reason].
//
// Resolve goes through the plugins of the name that was asked for, the newest
// first. It compares the version, then the file's sum with the lock file, and only
// then runs a copy with that sum to ask what it is ([Describer]). The first fit one is the
// answer; a [NoneError] says of each other why it is not.
//
// # The files of this package
//
//	places                   where plugins lie
//	name, parse              what file names say
//	search, scan, merge      from directories to a list
//	symlinks, problem        where links lead and past whom; what is left out
//	resolve, candidate,      from the list to one plugin, or to none
//	unresolved
//	describe, seal, child    asking a binary what it is, by way of a copy
//	description              its answer
//	cache                    what need not be found out again
//
// Behind it are packages of their own: store (installing, listing, verifying,
// removing), fetch (installing from addresses, with signatures), lockfile (what
// was agreed to), sums (SHA-256 and SHA256SUMS files), semver (versions and
// constraints).
//
// Nothing here is global: settings are structs, whose zero fields have a meaning
// that is documented, and what takes time takes a context.
package discovery
