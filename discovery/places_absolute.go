//go:build !darwin

package discovery

import "path/filepath"

// absolute is a variable that holds an absolute path; others do not count.
func (p Places) absolute(variable string) (string, bool) {
	path := p.env(variable)
	return path, filepath.IsAbs(path)
}
