// Package dircheck finds out whether other users can replace the files made in
// a directory, and whether they can reach them.
package dircheck

import "path/filepath"

// WritableByOthers are the mode bits that let users other than the owner make files in a directory.
const WritableByOthers = 0o022

// Resolve returns dir as an absolute path without links. The path stays valid: no other user can
// rename the content of dir or of a directory above it. If a user can, the error names the user and
// the remedy.
//
// With forOthers, another user has to reach the content. Resolve then also fails if the directory,
// or a directory above it, lets only its owner pass.
func Resolve(dir string, forOthers bool) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return resolve(dir, forOthers)
}
