// Package lockfile keeps the list of the plugins that a user or a project has
// agreed to: which name, version and platform, with which SHA-256 sum, and where
// it came from. A host runs what is in the list, as long as the sum is right.
//
//	lock, err := lockfile.Read("greet.lock.json")
//	entry, ok := lock.Lookup(lockfile.Key{Name: "loud", Version: v, Platform: "linux_amd64"})
//	err = sums.Check(path, entry.Sum) // *sums.MismatchError says both sums
//
//	err = lockfile.Update(ctx, "greet.lock.json", func(f *lockfile.File) error {
//		f.Set(entry)
//		return nil
//	})
//
// The file is JSON, sorted, so that it can be kept in version control:
//
//	{
//	  "version": 1,
//	  "plugins": [
//	    {
//	      "name": "loud",
//	      "version": "1.4.0",
//	      "platform": "linux_amd64",
//	      "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
//	      "source": "https://plugins.example.com/loud/1.4.0"
//	    }
//	  ]
//	}
//
// It is replaced as a whole, and writers take turns, so that a reader never sees
// half of it and no writer loses what another one wrote.
package lockfile
