// Package fileid opens regular files, and tells whether one is still the one that
// it was, with the content that it had, without reading it.
package fileid

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// ID identifies a file and a state of its content. Two that are equal belong to
// the same file, which was not changed in between, as far as its times tell:
// where the system keeps the time of the last change of the file's data about
// itself (Unix), nobody can set that back. One kind of change has no time: a
// write through a shared mapping of the file, to a page that such a write has
// changed before and that is not written back since, which on a file system in
// memory (tmpfs) never happens.
type ID struct {
	device, file     uint64
	size             int64
	modified, change int64 // ns since 1970; change is 0 where there is no such time
}

// What a change may come too soon after another one to get another time: with
// the clock of a system's ticks, and with one of whole seconds (FAT has two).
const (
	fineClock   = 20 * time.Millisecond
	coarseClock = 2 * time.Second
)

// Of identifies an open file. ok is false where the platform cannot.
func Of(file *os.File) (id ID, ok bool) { return of(file) }

// Settled reports whether the file was last changed so long before now that a
// change from now on gives it another ID.
func (i ID) Settled(now time.Time) bool {
	last := i.change
	if last == 0 {
		last = i.modified
	}
	clock := fineClock
	if last%int64(time.Second) == 0 {
		clock = coarseClock
	}
	return now.Sub(time.Unix(0, last)) > clock
}

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
