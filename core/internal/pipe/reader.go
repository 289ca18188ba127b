// Package pipe reads what another program writes to a pipe, up to that program's
// end rather than the pipe's: a descendant of it may hold the other end for much
// longer.
package pipe

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxDrain bounds, in bytes, what is read after Finish where the
// system cannot say how much of it was there at that moment: more than any pipe
// holds, but not without end while a descendant goes on writing.
const maxDrain = 1 << 20

// Reader is the reading end of a pipe. It ends when its owner says so with
// Finish, after what the pipe holds then, or when nobody holds the other end.
// How a waiting Read is interrupted differs by platform.
type Reader struct {
	file      *os.File
	atEnd     atomic.Bool // Read has reported io.EOF
	closeOnce sync.Once
	ending    ending
}

// NewReader returns a reader of file, which is the reader's from then on. Where
// a Read cannot be interrupted (Windows), grace bounds how long one that finds
// the pipe empty waits after Finish.
func NewReader(file *os.File, grace time.Duration) *Reader {
	return &Reader{file: file, ending: newEnding(grace)}
}

// Read reads what was written. At the end it closes the file by itself.
func (r *Reader) Read(p []byte) (int, error) {
	if r.atEnd.Load() {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.ending.read(r.file, p)
	if errors.Is(err, io.EOF) {
		r.atEnd.Store(true)
		_ = r.Close()
	}
	return n, err
}

// Close releases the pipe; a Read that waits fails with [os.ErrClosed]. A
// process that writes afterwards sees a broken pipe. Closing again is nil.
func (r *Reader) Close() error {
	var err error
	r.closeOnce.Do(func() { err = r.file.Close() })
	return err
}

// Finish says that nothing will be written that counts.
func (r *Reader) Finish() { r.ending.finish(r.file) }
