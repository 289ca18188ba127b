//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package files

import (
	"io/fs"
	"os"
)

// Folder is a directory whose files are asked about.
type Folder struct{ prefix string }

// OpenFolder opens a directory; prefix is its path with a separator.
func OpenFolder(_, prefix string) (*Folder, error) { return &Folder{prefix}, nil }

// Close closes the directory.
func (f *Folder) Close() {}

// Lstat says what kind of file a name is of, links not followed.
func (f *Folder) Lstat(name string) (fs.FileMode, error) {
	info, err := os.Lstat(f.prefix + name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}
