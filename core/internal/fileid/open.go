package fileid

import (
	"fmt"
	"io/fs"
	"os"
)

// Open opens a regular file for reading. Anything else is refused, without
// waiting: a named pipe stops a plain open until somebody writes to it.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openWithoutWaiting, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("it is not a regular file (mode %s)", info.Mode())}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
