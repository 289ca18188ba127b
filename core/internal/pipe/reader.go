// Package pipe reads another program's output from a pipe until that program
// ends. The pipe itself can end much later, if a descendant holds the other
// end.
package pipe

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxDrain limits the bytes read after Finish on systems that cannot report the
// pipe's content. It exceeds the capacity of any pipe, but bounds a descendant
// that keeps writing.
const maxDrain = 1 << 20

// Reader is the reading end of a pipe. After Finish it returns the pipe's
// content and then ends. It also ends when nobody holds the other end.
// Platforms differ in how they interrupt a waiting Read.
type Reader struct {
	file      *os.File
	atEnd     atomic.Bool // Read has reported io.EOF
	closeOnce sync.Once
	ending    ending
}

// NewReader returns a reader of file, from Open, and takes ownership of it. On
// Windows, grace limits the wait of a Read on an empty pipe after Finish.
func NewReader(file *os.File, grace time.Duration) *Reader {
	return &Reader{file: file, ending: newEnding(grace)}
}

// Read reads from the pipe. At the end it closes the file.
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

// Close releases the pipe; a waiting Read fails with [os.ErrClosed]. A process
// that writes afterwards sees a broken pipe. Closing again returns nil.
func (r *Reader) Close() error {
	var err error
	r.closeOnce.Do(func() { err = r.file.Close() })
	return err
}

// Finish declares the program ended: later output does not count.
func (r *Reader) Finish() { r.ending.finish(r.file) }
