//go:build unix

package socket

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/internal/lifeline"
)

// Lifeline makes the pipe that tells the directory's plugin about the end of this process, and
// returns its name. Remove closes it. An error says why there is none: the file system may have no
// pipes.
func (d *Dir) Lifeline() (name string, err error) {
	path := filepath.Join(d.Path, lifeline.File)
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return "", &fs.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	pipe, err := lifeline.Hold(path)
	if err != nil {
		return "", err
	}
	info, err := pipe.Stat()
	if err == nil && !isMine(info, fs.ModeNamedPipe) {
		err = &fs.PathError{Op: "open", Path: path, Err: errExchanged}
	}
	if err == nil && d.access.shared() {
		err = d.access.give(pipe, 0o600, 0o640)
	}
	if err != nil {
		return "", errors.Join(err, pipe.Close())
	}
	d.lifeline = pipe
	return lifeline.File, nil
}
