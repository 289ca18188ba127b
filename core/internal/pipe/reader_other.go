//go:build !unix

package pipe

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// ending ends the reading of a pipe whose writer is gone, on systems where only
// closing the pipe wakes a waiting Read. The grace runs only during a Read, so
// a slow reader loses nothing.
type ending struct {
	grace time.Duration

	mu      sync.Mutex
	ended   bool        // the process is gone
	waiting int         // Reads under way
	timer   *time.Timer // nil unless a Read waits after the end
	expired bool        // the timer closed the file
	left    int         // bytes to accept after the end
}

func newEnding(grace time.Duration) ending { return ending{grace: grace, left: maxDrain} }

func (e *ending) read(file *os.File, p []byte) (int, error) {
	if !e.begin(file, &p) {
		return 0, io.EOF
	}
	n, err := file.Read(p)
	if e.end(n) && errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	return n, err
}

func (e *ending) finish(file *os.File) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	if e.waiting > 0 {
		e.arm(file)
	}
}

// begin registers a Read and cuts its buffer to the bytes still accepted. False
// means no more bytes.
func (e *ending) begin(file *os.File, p *[]byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		if e.left == 0 {
			return false
		}
		*p = (*p)[:min(len(*p), e.left)]
		e.arm(file)
	}
	e.waiting++
	return true
}

// end registers the end of a Read of n bytes and reports whether the grace has
// expired.
func (e *ending) end(n int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting--
	if e.ended {
		e.left -= min(n, e.left)
	}
	if e.waiting == 0 && e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	return e.expired
}

func (e *ending) arm(file *os.File) {
	if e.timer != nil {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(e.grace, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		// The Read may have returned in the meantime, and another may be waiting.
		if e.timer == timer {
			e.expired = true
			_ = file.Close()
		}
	})
	e.timer = timer
}
