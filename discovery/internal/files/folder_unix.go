//go:build linux || darwin || freebsd || netbsd || openbsd

package files

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Folder is an open directory whose files are asked about by their names in it:
// the system need not look for the directory again for each, which is a good part
// of the time.
type Folder struct {
	dir    *os.File
	fd     int
	prefix string
}

// OpenFolder opens a directory; prefix is its path with a separator.
func OpenFolder(path, prefix string) (*Folder, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, fd: int(dir.Fd()), prefix: prefix}, nil
}

// Close closes the directory.
func (f *Folder) Close() { _ = f.dir.Close() }

// Lstat says what kind of file a name is of, links not followed.
func (f *Folder) Lstat(name string) (fs.FileMode, error) {
	for {
		var stat unix.Stat_t
		err := unix.Fstatat(f.fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case err == nil:
			return fileMode(uint32(stat.Mode)), nil // 16 bits on macOS
		case !errors.Is(err, unix.EINTR):
			return 0, &fs.PathError{Op: "lstat", Path: f.prefix + name, Err: err}
		}
	}
}

// fileMode has of a mode what a search looks at: the permissions, and whether it
// is a regular file, a directory, a link or something else.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode).Perm()
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return m
	case unix.S_IFDIR:
		return m | fs.ModeDir
	case unix.S_IFLNK:
		return m | fs.ModeSymlink
	default:
		return m | fs.ModeIrregular
	}
}
