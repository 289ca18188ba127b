//go:build !unix

package dircheck

// resolve has nothing to look at: who may do what in a directory is not in its mode
// here, and what the system gives each user for temporary files is that user's.
func resolve(dir string, _ bool) (string, error) { return dir, nil }
