package discovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// sealed is a copy of a program, beyond the reach of others. It describes a locked
// plugin: between the sum and a start by its path, the file at the path may become
// another. core seals the programs of launches in the same way; this module needs no
// other of Jackfield, and its copies last for one answer.
type sealed struct {
	path   string   // to run
	memory *os.File // becomes descriptor 3 of the process; nil: the copy is in dir
	dir    string
}

const (
	// maxMemoryCopy is the size from which on a copy takes a disk's space rather than
	// memory.
	maxMemoryCopy = 64 << 20

	sealedPrefix = "jackfield-describe-"
	// sealedAbandoned is the age of a directory whose process must have ended.
	sealedAbandoned = 24 * time.Hour
)

// seal copies a file of that sum. A file with another one is a *[sums.MismatchError].
func seal(ctx context.Context, path string, want sums.Sum, inMemory bool) (*sealed, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	var got sums.Sum
	fill := func(to io.Writer) error {
		hash := sha256.New()
		// A file grown longer has another sum, and need not be copied to its end. Each
		// copy begins at the file's beginning: a second directory may be tried.
		from := files.UntilDone{Ctx: ctx, Reader: io.NewSectionReader(file, 0, info.Size()+1)}
		_, err := io.Copy(io.MultiWriter(to, hash), from)
		got = sums.Sum(hash.Sum(nil))
		return err
	}
	var s *sealed
	if inMemory && info.Size() <= maxMemoryCopy {
		s, err = sealInMemory(fill)
	} else {
		s, err = sealInDirectory(filepath.Base(path), fill)
	}
	switch {
	case err != nil:
		return nil, err
	case got != want:
		s.close()
		return nil, &sums.MismatchError{Path: path, Want: want, Got: got}
	}
	return s, nil
}

func (s *sealed) close() {
	if s.memory != nil {
		_ = s.memory.Close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// sealInDirectory makes the copy a file in a directory of its own, for only this user
// to enter.
func sealInDirectory(name string, fill func(io.Writer) error) (*sealed, error) {
	bases := []string{os.TempDir()}
	if cache, err := os.UserCacheDir(); err == nil {
		bases = append(bases, cache)
	}
	var failed []error
	for _, base := range bases {
		s, err := sealIn(base, name, fill)
		if err == nil {
			return s, nil
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("no directory is fit for a private copy: %w", errors.Join(failed...))
}

func sealIn(base, name string, fill func(io.Writer) error) (*sealed, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	sweepSealed(base)
	dir, err := os.MkdirTemp(base, sealedPrefix)
	if err != nil {
		return nil, err
	}
	s := &sealed{dir: dir, path: filepath.Join(dir, name)}
	if err := s.write(fill); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sealed) write(fill func(io.Writer) error) error {
	way := finder{Search: Search{Platform: ThisPlatform()}}
	if by := way.openWay(s.dir); by != "" {
		return &Problem{Path: s.dir, Reason: ReasonWritable, By: by}
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(file), file.Chmod(0o500), file.Close()); err != nil {
		return err
	}
	if !ThisPlatform().modes() {
		return nil
	}
	if err := files.MayExecute(s.path); err != nil {
		return &fs.PathError{Op: "execute", Path: s.path, Err: err} // the file system runs no programs
	}
	return nil
}

// sweepSealed removes the copies of killed processes.
func sweepSealed(base string) {
	found, err := filepath.Glob(filepath.Join(base, sealedPrefix+"*"))
	if err != nil || strings.ContainsAny(base, `*?[\`) && ThisPlatform().modes() {
		return // a pattern is no place
	}
	for _, path := range found {
		if info, err := os.Lstat(path); err == nil && info.IsDir() && time.Since(info.ModTime()) > sealedAbandoned {
			_ = os.RemoveAll(path) // another user's stays
		}
	}
}
