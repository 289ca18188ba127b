// Package dircheck finds out whether other users could exchange what is made in a
// directory.
package dircheck

import "path/filepath"

// Resolve returns dir as an absolute path without links, which goes on leading where
// it was looked at: no other user can rename what is in dir or in a directory above
// it. If one can, the error says who, and what to do.
func Resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return resolve(dir)
}
