//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// notWaiting are the flags of an open without a wait: a named pipe's would wait for a
// writer.
const notWaiting = unix.O_NONBLOCK | unix.O_NOCTTY

const onlyDirectory = unix.O_DIRECTORY | notWaiting

var (
	// ErrLoop is in the error for a symbolic link that leads back to itself.
	ErrLoop error = syscall.ELOOP
	// ErrBusy is in the error for a program that is open for writing and cannot run.
	ErrBusy error = syscall.ETXTBSY
)

func rename(from, to string) error { return os.Rename(from, to) }

func replace(from, path, _ string) error { return os.Rename(from, path) }

// Remove removes a file.
func Remove(path string) error { return os.Remove(path) }

func open(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0) }

// syncDir flushes a directory, so a name in it survives a crash too. Some file
// systems do not do that for directories, and it is no failure there.
func syncDir(path string) error {
	dir, err := OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// lstat asks by the name in the open directory. The system need not look for the
// directory again for each file, a good part of the time.
func lstat(dir *os.File, path, name string) (fs.FileMode, error) {
	fd := int(dir.Fd())
	for {
		var stat unix.Stat_t
		err := unix.Fstatat(fd, name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case err == nil:
			return fileMode(uint32(stat.Mode)), nil // 16 bits on macOS
		case !errors.Is(err, unix.EINTR):
			return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
}

// fileMode returns the part of a mode for a search: the permissions, and whether it
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
