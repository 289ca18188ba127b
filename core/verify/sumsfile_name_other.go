//go:build !windows

package verify

import "path/filepath"

// sameFileName compares names or paths of files.
func sameFileName(a, b string) bool { return a == b }

// located returns the path of a clean name in a file in dir.
func located(name, dir string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
