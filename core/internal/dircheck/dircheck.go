// Package dircheck finds out whether other users could exchange what is made in a
// directory, and whether they get there.
package dircheck

import "path/filepath"

// WritableByOthers are the modes by which another than its owner can make files in
// a directory.
const WritableByOthers = 0o022

// Resolve returns dir as an absolute path without links, which goes on leading where
// it was looked at: no other user can rename what is in dir or in a directory above
// it. If one can, the error says who, and what to do.
//
// With forOthers another user has to get to what is made there: it is an error, too,
// if the directory or one above it lets nobody but its owner pass.
func Resolve(dir string, forOthers bool) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return resolve(dir, forOthers)
}
