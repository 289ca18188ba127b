//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package discovery

import (
	"io/fs"
	"os"
)

// folder is a directory whose files are asked about.
type folder struct{ prefix string }

func openFolder(_, prefix string) (*folder, error) { return &folder{prefix}, nil }

func (f *folder) close() {}

// lstat says what kind of file a name is of, links not followed.
func (f *folder) lstat(name string) (fs.FileMode, error) {
	info, err := os.Lstat(f.prefix + name)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}
