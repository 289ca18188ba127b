//go:build !unix && !windows

package files

import (
	"errors"
	"io/fs"
	"os"
)

// Nothing waits there.
const notWaiting, onlyDirectory = 0, 0

// These systems have neither symbolic links nor busy programs.
var (
	ErrLoop = errors.New("too many levels of symbolic links")
	ErrBusy = errors.New("text file busy")
)

func rename(from, to string) error { return os.Rename(from, to) }

func replace(from, path, _ string) error { return os.Rename(from, path) }

// Remove removes a file.
func Remove(path string) error { return os.Remove(path) }

func open(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0) }

func syncDir(string) error { return nil }

func lstat(_ *os.File, path, _ string) (fs.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}
