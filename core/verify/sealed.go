package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// Sealed is a sealed copy of a program: nobody can change it. It runs by
// runner.Command.Sealed, whatever becomes of the original file.
//
// On Linux the copy of an ELF program of up to [MaxMemoryCopy] bytes is a sealed
// memory file (memfd_create(2)). Not even this process can write to it. The copy of a
// larger ELF program is in memory too if no directory is fit for it. Every other
// copy, scripts above all, is a file with mode r-x in a directory of its own that
// only this user can enter. There this user (and root) could still write; a start
// detects a write, and fails with [ErrCopyChanged].
//
// Any number of commands and goroutines may use a Sealed. Its owner closes it, once
// every process started from it has ended.
type Sealed struct {
	from Origin
	size int64
	cfg  SealConfig

	filing chan struct{} // holds one token while a file is being made, as it takes its time

	mu     sync.Mutex
	closed bool
	memory *os.File    // nil: the copy is in file
	file   *sealedFile // nil: none was needed yet
}

// MaxMemoryCopy is the size in bytes above which a program is copied into memory only
// if no directory is fit for it. Larger copies would take too much memory, and the
// system maps large programs from a file a little faster.
const MaxMemoryCopy = 64 << 20

// DefaultMaxBytes is the default of [Config.MaxBytes] and [SealConfig.MaxBytes]: 1 GiB.
const DefaultMaxBytes = 1 << 30

// ErrCopyChanged is returned if the file with the copy of a program was changed.
var ErrCopyChanged = errors.New("the sealed copy of the program was changed")

// Origin is the original of a [Sealed].
type Origin struct {
	// Path is where the program was found.
	Path string
	// Mode are its permissions. The copy has those of reading and executing.
	Mode fs.FileMode
}

// SealConfig configures [Seal]. The zero value keeps copies in memory where possible,
// otherwise in a directory for temporary files.
type SealConfig struct {
	// Dirs are directories for copies; the first fit one holds them, each in a
	// private directory of its own, and none is in memory. A directory is fit if its
	// file system runs programs and no other user can write to it. Empty: the
	// system's directory for temporary files, and where it is not fit, the user's for
	// caches.
	//
	// A killed process of this user leaves directories there: jackfield-program- and
	// a number, with at most the file of one copy. They are removed beside the next
	// copy, once they are a minute old. Where it cannot be told whether a directory
	// is in use (a file system without locks), it stays.
	Dirs []string

	// MaxBytes bounds the size of a program, in bytes. A larger file is a
	// *[SizeError] and is not copied. Zero: [DefaultMaxBytes].
	MaxBytes int64

	// InFile keeps copies out of memory also where Dirs is empty, for a runner that
	// needs a path.
	InFile bool

	// Shared lets other users run the copies, as far as the mode of the program does:
	// for a process of another user. They cannot write to the copies.
	Shared bool
}

// Seal copies an open program. ctx bounds the copying. The program is read through
// the descriptor, so only its content can change meanwhile; the copy has the content
// to check. The caller still closes file.
func Seal(ctx context.Context, file *os.File, cfg SealConfig) (*Sealed, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if limit := cmp.Or(cfg.MaxBytes, DefaultMaxBytes); info.Size() > limit {
		return nil, &SizeError{Path: file.Name(), Size: info.Size(), Max: limit}
	}
	s := &Sealed{
		from:   Origin{Path: file.Name(), Mode: info.Mode().Perm()},
		size:   info.Size(),
		cfg:    cfg,
		filing: make(chan struct{}, 1),
	}
	if err := s.copy(ctx, file); err != nil {
		return nil, fmt.Errorf("make a sealed copy of %q: %w", file.Name(), err)
	}
	// The program may have become shorter while it was copied.
	if info, err = s.content().Stat(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.size = info.Size()
	return s, nil
}

// copy takes at most s.size bytes, however long the file grows meanwhile. Programs
// for memory go there, and into a file if memory fails. All others go into a file; a
// large native program goes into memory only if no file can be made.
func (s *Sealed) copy(ctx context.Context, file *os.File) error {
	toMemory := func() (err error) {
		s.memory, err = sealInMemory(ctx, s.from, io.NewSectionReader(file, 0, s.size))
		return err
	}
	toFile := func() (err error) {
		s.file, err = s.copyToFile(ctx, file)
		return err
	}
	ways := []func() error{toMemory, toFile}
	switch {
	case s.cfg.InFile, len(s.cfg.Dirs) > 0, !runsFromMemory(file):
		ways = []func() error{toFile}
	case s.size > MaxMemoryCopy:
		ways = []func() error{toFile, toMemory}
	}
	var failed []error
	for _, way := range ways {
		err := way()
		if err == nil || ctx.Err() != nil {
			return err
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// content is the copy to read from.
func (s *Sealed) content() *os.File {
	if s.memory != nil {
		return s.memory
	}
	return s.file.content
}

// Origin returns the original's path and mode.
func (s *Sealed) Origin() Origin { return s.from }

// Size is the size of the copy in bytes.
func (s *Sealed) Size() int64 { return s.size }

// ReadAt reads the copy; see [io.ReaderAt].
func (s *Sealed) ReadAt(p []byte, offset int64) (int, error) {
	return s.content().ReadAt(p, offset) // fs.ErrClosed after Close
}

// Path returns the path of the copy as a file, for a caller that cannot run it from
// memory. The first call makes the file, as [SealConfig] says, and Close removes it.
// It has the program's name, in a directory of its own.
func (s *Sealed) Path(ctx context.Context) (string, error) {
	var path string
	err := s.InFile(ctx, func(file string) error {
		path = file
		return nil
	})
	return path, err
}

// InFile calls use with the path of the copy as a file. A file made by this call is
// kept only if use succeeds; its error is returned as it is.
func (s *Sealed) InFile(ctx context.Context, use func(path string) error) error {
	select {
	case s.filing <- struct{}{}:
		defer func() { <-s.filing }()
	case <-ctx.Done():
		return contextError(ctx)
	}
	file, err := s.filed()
	if err != nil {
		return err
	}
	if file != nil {
		return use(file.path)
	}
	file, err = s.copyToFile(ctx, s.memory)
	if err != nil {
		return fmt.Errorf("make a sealed copy of %q: %w", s.from.Path, err)
	}
	if err := use(file.path); err != nil {
		_ = file.remove()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = file // if it was closed meanwhile, Close removes it
	return nil
}

// filed returns the file of the copy; nil without one.
func (s *Sealed) filed() (*sealedFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, fs.ErrClosed
	case s.file != nil:
		return s.file, s.file.check()
	}
	return nil, nil
}

// Check returns [ErrCopyChanged] if this user or root has touched the file of the
// copy. A copy in memory cannot change.
func (s *Sealed) Check() error {
	_, err := s.filed()
	return err
}

// Close removes the copy. Programs already running from memory are not touched. On
// Windows a running file cannot be removed, which is an error after half a second; a
// later copy beside it removes it. Closing again does nothing more.
func (s *Sealed) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	var err error
	if s.memory != nil {
		err = s.memory.Close() // a file being made from it comes to nothing
	}
	s.filing <- struct{}{}
	defer func() { <-s.filing }()
	if s.file != nil {
		err = errors.Join(err, s.file.remove())
	}
	return err
}

// Executable returns an open memory file, or else the path of the copy, to be run.
// After [Sealed.Path] or [Sealed.InFile] has made a file, it is the path. The Sealed
// owns the memory file: the caller does not close it.
func (s *Sealed) Executable() (path string, memory *os.File, err error) {
	file, err := s.filed()
	switch {
	case err != nil:
		return "", nil, err
	case file != nil:
		return file.path, nil, nil
	}
	return "", s.memory, nil
}

// copyChunk is how much is copied between two looks at the context.
const copyChunk = 1 << 20

// copyAll copies until ctx ends.
func copyAll(ctx context.Context, to io.Writer, from io.Reader) error {
	buffer := make([]byte, copyChunk)
	for ctx.Err() == nil {
		n, err := io.ReadFull(from, buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
	return contextError(ctx)
}

// contextError returns the error of an ended context, with its cause if there is one.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
