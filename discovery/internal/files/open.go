// Package files is how this module handles files: it opens regular ones only,
// replaces them whole, lets processes take turns, and knows whether a file is
// still the same. Differences between systems end here.
//
// [Write] goes through a temporary file beside the target, flushed to the disk
// before it takes the target's name: a reader sees the old content or the new.
// [Lock] is an advisory lock, held by an open file. The system ends it when its
// holder dies, so an abandoned lock file holds nobody up.
package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
)

var errNotRegular = errors.New("it is no regular file")

// Open opens a regular file for reading. Anything else is an error at once: a
// plain open of a named pipe waits until somebody writes to it. On Windows it
// waits, for two seconds at most, while the file is being replaced.
func Open(path string) (*os.File, error) {
	file, err := open(path, os.O_RDONLY|notWaiting)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// OpenDir opens a directory. Anything else is an error at once.
func OpenDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|onlyDirectory, 0)
}

// Read returns the content of a regular file. Of a file longer than limit bytes it
// returns limit+1, to show the excess.
func Read(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// UntilDone is a reader that fails with the cause once the context has ended.
type UntilDone struct {
	Ctx    context.Context
	Reader io.Reader
}

// Read reads from the reader.
func (u UntilDone) Read(p []byte) (int, error) {
	if u.Ctx.Err() != nil {
		return 0, context.Cause(u.Ctx)
	}
	return u.Reader.Read(p)
}

// MayExecute asks whether this user may execute a file with an executable mode.
func MayExecute(path string) error {
	_, err := exec.LookPath(path)
	var denied *exec.Error
	if errors.As(err, &denied) {
		return denied.Err
	}
	return err
}
