package runner

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxDrain bounds, in bytes, what is read after the end of a process where the
// system cannot say how much of it was there at that moment: more than any pipe
// holds, but not without end while a descendant goes on writing.
const maxDrain = 1 << 20

// output is the host's end of a pipe that a process writes to. It ends with the
// process, not with the last descendant that holds the other end: the part of
// it that interrupts a waiting Read differs by platform.
type output struct {
	file      *os.File
	atEnd     atomic.Bool // Read has reported io.EOF
	closeOnce sync.Once
	ending    ending
}

func newOutput(file *os.File, grace time.Duration) *output {
	return &output{file: file, ending: newEnding(grace)}
}

// Read reads what the process wrote. At the end it closes the file by itself.
func (o *output) Read(p []byte) (int, error) {
	if o.atEnd.Load() {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := o.ending.read(o.file, p)
	if err == io.EOF {
		o.atEnd.Store(true)
		_ = o.Close()
	}
	return n, err
}

// Close releases the pipe; a Read that waits fails with [os.ErrClosed]. A
// process that writes afterwards sees a broken pipe. Closing again is nil.
func (o *output) Close() error {
	var err error
	o.closeOnce.Do(func() { err = o.file.Close() })
	return err
}

// finish says that the process has ended.
func (o *output) finish() { o.ending.finish(o.file) }
