//go:build !unix

package dircheck

import "io/fs"

// resolve has nothing to look at: who may do what in a directory is not in its mode
// here, and what the system gives each user for temporary files is that user's.
func resolve(dir string, _ bool) (string, error) { return dir, nil }

// OwnerOf returns the number of a file's user. ok is false where the platform has none.
func OwnerOf(fs.FileInfo) (uid int, ok bool) { return 0, false }
