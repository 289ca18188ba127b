//go:build unix

package pipe

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// ending ends the reading of a pipe whose writer is gone. An expired deadline
// wakes a waiting Read. The rest of the pipe's content is then read past the
// deadline, directly from the non-blocking descriptor.
type ending struct {
	mu    sync.Mutex
	known bool // left is known
	left  int  // bytes that the process can have written
}

func newEnding(time.Duration) ending { return ending{} }

func (e *ending) read(file *os.File, p []byte) (int, error) {
	n, err := file.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return e.drain(file, p)
	}
	return n, err
}

func (*ending) finish(file *os.File) {
	if err := file.SetReadDeadline(time.Unix(1, 0)); err != nil {
		// Either closed already, or a descriptor without interruption: an end
		// with lost output is better than an endless wait.
		_ = file.Close()
	}
}

// drain reads the content of the pipe at the time of the first call, and then
// ends, even if a descendant keeps writing.
func (e *ending) drain(file *os.File, p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	conn, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	var readErr error
	err = conn.Control(func(fd uintptr) {
		if !e.known {
			e.known, e.left = true, unread(fd)
		}
		n, readErr = readNow(int(fd), p[:min(len(p), e.left)])
		e.left -= n
	})
	if err != nil {
		return 0, err
	}
	return n, readErr
}

// readNow reads without waiting. An empty pipe is the end.
func readNow(fd int, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.EOF
	}
	for {
		n, err := syscall.Read(fd, p)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN), err == nil && n == 0:
			return 0, io.EOF
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		}
		return n, nil
	}
}
