package files

import (
	"io/fs"
	"os"
)

// Folder is an open directory. It is asked about its files by their names.
type Folder struct {
	dir    *os.File
	prefix string
}

// OpenFolder opens a directory; prefix is its path with a separator.
func OpenFolder(path, prefix string) (*Folder, error) {
	dir, err := OpenDir(path)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, prefix: prefix}, nil
}

// Close closes the directory.
func (f *Folder) Close() { _ = f.dir.Close() }

// Lstat returns the kind of a file, links not followed.
func (f *Folder) Lstat(name string) (fs.FileMode, error) { return lstat(f.dir, f.prefix+name, name) }
