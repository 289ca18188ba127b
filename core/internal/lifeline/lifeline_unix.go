//go:build unix

package lifeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// File is the name of the pipe in the directory for sockets.
const File = ".lifeline"

// Hold opens a pipe as a host. The plugin is told when the last host has closed it.
func Hold(path string) (*os.File, error) {
	// Opened for writing alone, a pipe needs a reader first.
	return open(path, unix.O_RDWR)
}

// open opens a pipe, and no other file at its path.
func open(path string, mode int) (*os.File, error) {
	pipe, err := os.OpenFile(path, mode|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	info, err := pipe.Stat()
	if err == nil && info.Mode().Type() != fs.ModeNamedPipe {
		err = fmt.Errorf("%q is not a pipe", path)
	}
	if err != nil {
		_ = pipe.Close()
		return nil, err
	}
	return pipe, nil
}

// Line is a plugin's end of a lifeline.
type Line struct {
	pipe   *os.File
	closed atomic.Bool
	waited chan struct{} // closed when Wait has returned
}

// Take opens the lifeline announced by a host: value is a file's name in the directory for sockets.
func Take(value, dir string) (*Line, error) {
	if dir == "" || value != filepath.Base(value) || strings.Trim(value, ".") == "" {
		return nil, fmt.Errorf("%q is not the name of a file in the directory %q for sockets", value, dir)
	}
	pipe, err := open(filepath.Join(dir, value), unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return &Line{pipe: pipe, waited: make(chan struct{})}, nil
}

// Wait returns nil at the end of the host, and [ErrClosed] after Close. It is called once.
func (l *Line) Wait() error {
	defer close(l.waited)
	ignored := make([]byte, 64) // only the end of the pipe has a meaning
	for !l.closed.Load() {
		_, err := l.pipe.Read(ignored)
		switch {
		case l.closed.Load():
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return ErrClosed
}

// Close ends the wait, and closes the file. False: Wait does not return before the end of the host.
func (l *Line) Close() bool {
	l.closed.Store(true)
	err := l.pipe.SetReadDeadline(time.Unix(1, 0))
	woken := err == nil || l.wake()
	if woken {
		<-l.waited
	}
	_ = l.pipe.Close()
	return woken
}

// wake ends a read where such a pipe cannot be polled, as on macOS: a further writer writes to it. It
// returns false if the file has been removed.
func (l *Line) wake() bool {
	writer, err := os.OpenFile(l.pipe.Name(), unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer func() { _ = writer.Close() }()
	_, err = writer.Write([]byte{0})
	return err == nil
}
