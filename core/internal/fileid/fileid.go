// Package fileid opens regular files and detects, from metadata, whether a file
// was replaced or modified.
package fileid

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// ID identifies a file and a state of its content. Equal IDs mean the same file
// without modification in between, as far as its times tell. Unix keeps a
// change time that nobody can set back.
//
// One kind of change has no time: a write through a shared mapping of the file.
// It goes unseen if an earlier write through a mapping changed the same page
// and the page was not written back since. On a file system in memory (tmpfs),
// pages are never written back.
type ID struct {
	device, file     uint64
	size             int64
	modified, change int64 // ns since 1970; change is 0 without a change time
}

// The minimum time between two changes with different times, for a clock of
// system ticks and for a clock of whole seconds (FAT counts in two).
const (
	fineClock   = 20 * time.Millisecond
	coarseClock = 2 * time.Second
)

// Of identifies an open file. ok is false on platforms without file identities.
func Of(file *os.File) (id ID, ok bool) { return of(file) }

// Settled reports whether the last change is old enough for any change from now
// on to give another ID.
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

// Open opens a regular file for reading. It refuses all other files without
// waiting: a plain open of a named pipe waits for a writer.
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
