package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackfield-go/jackfield/core/internal/dircheck"
	"github.com/jackfield-go/jackfield/core/internal/fileid"
	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// privatePattern names the directories of sealed copies.
const privatePattern = "jackfield-program-"

// These are the modes of a sealed copy's directory: for this user alone, and for
// other users that run the copy.
const (
	privateDir = 0o700
	sharedDir  = 0o711
)

// copyMode is the mode of a copy: as readable and executable as the program, and
// writable for nobody.
func copyMode(mode fs.FileMode) fs.FileMode { return mode.Perm()&0o555 | 0o500 }

// sealedFile is a copy of a program in a directory of its own.
type sealedFile struct {
	dir     string
	path    string
	claimed *os.File // the directory, to mark it as in use
	content *os.File // for reading
	made    fileid.ID
	sweep   *sweep.Sweep // of abandoned directories beside it
}

// copyToFile makes a file in the first fit directory.
func (s *Sealed) copyToFile(ctx context.Context, content io.ReaderAt) (*sealedFile, error) {
	bases := s.cfg.Dirs
	if len(bases) == 0 {
		bases = defaultCopyDirs()
	}
	var failed []error
	for _, base := range bases {
		file, err := s.copyInto(ctx, base, content)
		switch {
		case err == nil:
			return file, nil
		case ctx.Err() != nil:
			return nil, contextError(ctx)
		}
		failed = append(failed, fmt.Errorf("%q: %w", base, err))
	}
	return nil, fmt.Errorf("no directory is fit for it: %w", errors.Join(failed...))
}

// defaultCopyDirs are directories for copies, the preferred one first.
func defaultCopyDirs() []string {
	dirs := []string{os.TempDir()}
	if dir, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, dir)
	}
	return dirs
}

func (s *Sealed) copyInto(ctx context.Context, base string, content io.ReaderAt) (*sealedFile, error) {
	base, err := dircheck.Resolve(base, s.cfg.Shared)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(base, privatePattern)
	if err != nil {
		return nil, err
	}
	file := &sealedFile{dir: dir, path: filepath.Join(dir, filepath.Base(s.from.Path)), sweep: startSweep(base)}
	if file.claimed, err = os.Open(dir); err == nil {
		claim(file.claimed)
		err = s.fill(ctx, file, content)
	}
	if err != nil {
		return nil, errors.Join(err, file.remove())
	}
	return file, nil
}

// fill writes the copy, and makes sure that it can run where it is.
func (s *Sealed) fill(ctx context.Context, file *sealedFile, content io.ReaderAt) error {
	writable, err := os.OpenFile(file.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = copyAll(ctx, writable, io.NewSectionReader(content, 0, s.size))
	if err == nil {
		err = writable.Chmod(copyMode(s.from.Mode))
	}
	if err = errors.Join(err, writable.Close()); err != nil {
		return err
	}
	mode := fs.FileMode(privateDir)
	if s.cfg.Shared {
		mode = sharedDir
	}
	if err := os.Chmod(file.dir, mode); err != nil {
		return err
	}
	if _, err := exec.LookPath(file.path); err != nil {
		return fmt.Errorf("programs cannot be run there: %w", err)
	}
	if file.content, err = os.Open(file.path); err != nil {
		return err
	}
	file.made, _ = fileid.Of(file.content) // of none where there are none
	return nil
}

// check detects whether the file at the path was replaced or changed since it was
// made.
func (f *sealedFile) check() error {
	there, err := os.Lstat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCopyChanged, err)
	}
	made, err := f.content.Stat()
	if err != nil {
		return err
	}
	if id, _ := fileid.Of(f.content); id != f.made || !os.SameFile(there, made) {
		return fmt.Errorf("%w: %q", ErrCopyChanged, f.path)
	}
	return nil
}

// remove removes the file and its directory.
func (f *sealedFile) remove() error {
	f.sweep.Hurry()
	<-f.sweep.Done()
	_ = f.content.Close() // of nil too
	_ = f.claimed.Close() // Windows removes no open file
	return removeCopy(f.dir)
}
