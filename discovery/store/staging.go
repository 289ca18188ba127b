package store

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// staging is a private directory inside a store, for one installation. A search
// ignores it. Its owner holds a lock in it until the process ends: the next
// installation removes the remains of a killed one.
type staging struct {
	dir     string
	unlock  func()
	written map[string]fs.FileInfo // files from write, by names
}

const (
	stagingOwner = "owner"   // the owner's lock is in the staging directory
	stagingLock  = "staging" // its lock is in the store, while staging directories are made and swept
)

// abandoned is how long a temporary file must have gone without a write to be a
// killed process's.
const abandoned = 24 * time.Hour

func newStaging(ctx context.Context, store string) (*staging, error) {
	unlock, err := files.Lock(ctx, filepath.Join(store, stagingLock))
	if err != nil {
		return nil, err
	}
	defer unlock()
	sweepStaging(store)
	files.Sweep(store, abandoned)
	dir, err := os.MkdirTemp(store, files.TempPrefix+"*")
	if err != nil {
		return nil, err
	}
	s := &staging{dir: dir, written: make(map[string]fs.FileInfo)}
	if s.unlock, err = files.Lock(ctx, filepath.Join(dir, stagingOwner)); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// sweepStaging removes the staging directories without an owner. It runs under the
// store's lock, so none is just being made.
func sweepStaging(store string) {
	entries, err := os.ReadDir(store)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), files.TempPrefix) {
			continue
		}
		dir := filepath.Join(store, entry.Name())
		if unlock, ok := files.TryLock(filepath.Join(dir, stagingOwner)); ok {
			unlock() // Windows removes no open file
			_ = os.RemoveAll(dir)
		}
	}
}

// remove removes the directory with its remaining content.
func (s *staging) remove() {
	s.unlock()
	_ = os.RemoveAll(s.dir)
}

func (s *staging) path(name string) string { return filepath.Join(s.dir, name) }

// open opens a file from write. Another file in its place is [discovery.ErrChanged]:
// a group with write access to the store's directory can exchange the staging
// directory.
func (s *staging) open(name string) (*os.File, error) {
	file, err := files.Open(s.path(name))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, s.written[name]) {
		err = discovery.ErrChanged
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (s *staging) rename(from, to string) error {
	s.written[to] = s.written[from]
	return os.Rename(s.path(from), s.path(to))
}

// write copies r into a new file, through the hash, and flushes it to the disk. A
// file of more than limit bytes is a *[SizeError].
func (s *staging) write(name string, mode fs.FileMode, r io.Reader, limit int64, sum hash.Hash) error {
	file, err := os.OpenFile(s.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = &SizeError{Limit: limit}
	}
	if err == nil {
		err = errors.Join(file.Chmod(mode), file.Sync())
	}
	info, statErr := file.Stat()
	if statErr == nil {
		s.written[name] = info
	}
	return errors.Join(err, statErr, file.Close())
}

// SizeError says that a file is larger than InstallOptions.MaxSize allows.
type SizeError struct {
	// Path is the file, or an entry of an archive.
	Path string
	// Limit is the largest size, in bytes.
	Limit int64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s exceeds the limit of %d bytes", text.Line(e.Path, shownPath), e.Limit)
}

// DeveloperHint names the setting, for core.Hint.
func (e *SizeError) DeveloperHint() string { return "InstallOptions.MaxSize allows for larger files" }
