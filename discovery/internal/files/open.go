package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

var errNotRegular = errors.New("it is no regular file")

// Open opens a regular file for reading. Anything else is an error at once: a
// plain open of a named pipe waits until somebody writes to it.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openWithoutWaiting, 0)
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

// Read returns the content of a regular file. Of a file longer than limit bytes it
// returns limit+1, so that the caller sees that.
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
