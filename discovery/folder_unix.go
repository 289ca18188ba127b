//go:build linux || darwin || freebsd || netbsd || openbsd

package discovery

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// folder is an open directory whose files are asked about by their names in it:
// the system need not look for the directory again for each, which is a good part
// of the time.
type folder struct {
	dir    *os.File
	fd     int
	prefix string
}

func openFolder(path, prefix string) (*folder, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &folder{dir: dir, fd: int(dir.Fd()), prefix: prefix}, nil
}

func (f *folder) close() { _ = f.dir.Close() }

// lstat says what kind of file a name is of, links not followed.
func (f *folder) lstat(name string) (fs.FileMode, error) {
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
