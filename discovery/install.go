package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/atomicfile"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// Install says what to install.
type Install struct {
	// ID is which plugin it is. What is zero in it is taken from the name of the
	// file, if that says it. Where neither says the platform it is the store's.
	ID ID
	// Want is the sum that the file must have. Zero: any, which is recorded.
	Want sums.Sum
	// Source is recorded as where the plugin came from. Empty: the file's path.
	Source string
	// Replace takes the place of a file that is the same plugin in the same
	// version with another sum. Without it that is an [ErrInstalled].
	Replace bool
}

// ErrInstalled is in the error for a plugin that is there already, with another
// content.
var ErrInstalled = errors.New("another file is installed under that name and version")

// abandoned is how long nobody has written to a temporary file for it to be one
// of a process that was killed.
const abandoned = 24 * time.Hour

// Install copies a file into the store and records its sum. The plugin appears
// with a sum, as a whole, or what was there stays; a process that is killed between
// the two leaves a plugin whose sum is not recorded, which to install again
// completes.
//
// The error wraps a *[sums.MismatchError] for a wrong sum, also where the lock
// file has another one for a file that is missing; a *[NameError] for a file name
// that does not say enough; [ErrInstalled]; [ErrChanged] if the file was written to
// meanwhile; a *[Problem] if what is installed could not be found again: it is for
// another platform, its name differs from an installed one's in capitals only, or
// everybody may change the store's directory.
func (s Store) Install(ctx context.Context, path string, install Install) (*Item, error) {
	id, err := s.identify(filepath.Base(path), install.ID)
	if errors.Is(err, ErrNoPlugin) {
		err = fmt.Errorf("%w: it is called %s", err, s.Naming.pattern())
	}
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", path, err)
	}
	// Before it is opened, which with a pipe might take for ever.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("install a plugin: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("install a plugin: %w", &Problem{Path: path, Reason: ReasonNotRegular})
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("install a plugin: %w", err)
	}
	defer file.Close()
	if install.Source == "" {
		install.Source = path
		if absolute, err := filepath.Abs(path); err == nil {
			install.Source = absolute
		}
	}
	install.ID = id
	return s.InstallFrom(ctx, &steady{file: file, info: info}, install)
}

// steady is a file that nobody writes to while it is read: where it ends as
// another one than it was when it began, that is an error.
type steady struct {
	file *os.File
	info fs.FileInfo
}

func (s *steady) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	info, statErr := s.file.Stat()
	switch {
	case statErr != nil:
		return n, statErr
	case info.Size() != s.info.Size() || !info.ModTime().Equal(s.info.ModTime()) || !os.SameFile(info, s.info):
		return n, fmt.Errorf("%s: %w", s.file.Name(), ErrChanged)
	}
	return n, err
}

// identify completes the ID with what a file's name says.
func (s Store) identify(base string, id ID) (ID, error) {
	named, err := s.Naming.Parse(base)
	if err != nil && id.Name == "" {
		return ID{}, err
	}
	if err == nil && (id.Name == "" || id.Name == named.Name && id.Kind == named.Kind) {
		if id.Name == "" {
			id.Kind, id.Name = named.Kind, named.Name
		}
		if id.Version.IsZero() {
			id.Version = named.Version
		}
		if id.Platform.IsZero() {
			id.Platform = named.Platform
		}
	}
	return id, nil
}

// InstallFrom is Install of what r gives, to its end. Install.ID must have a
// name.
func (s Store) InstallFrom(ctx context.Context, r io.Reader, install Install) (*Item, error) {
	item, err := s.install(ctx, r, install)
	if err != nil {
		return nil, fmt.Errorf("install plugin %v: %w", install.ID, err)
	}
	return item, nil
}

func (s Store) install(ctx context.Context, r io.Reader, install Install) (*Item, error) {
	id := install.ID
	if s.Naming.Glob == "" {
		id.Platform = cmp.Or(id.Platform, s.platform())
	}
	id.Exe = cmp.Or(id.Platform, s.platform()).exe()
	name, err := s.Naming.Format(id)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	if !id.Platform.IsZero() && id.Platform != s.platform() {
		return nil, &Problem{Path: path, Origin: OriginUser, Reason: ReasonForeign, Plugin: id}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := s.usable(dir); err != nil {
		return nil, err
	}
	atomicfile.Sweep(dir, abandoned)
	temp, err := atomicfile.Create(dir, 0o755)
	if err != nil {
		return nil, err
	}
	defer temp.Discard()
	sum, err := sums.OfReader(io.TeeReader(untilDone{ctx, r}, temp))
	if err != nil {
		return nil, err
	}
	if !install.Want.IsZero() && install.Want != sum {
		return nil, &sums.MismatchError{Path: cmp.Or(install.Source, path), Want: install.Want, Got: sum}
	}
	p := placement{
		temp: temp, path: path, id: id, replace: install.Replace,
		entry: lockfile.Entry{Key: id.key(cmp.Or(id.Platform, s.platform())), Sum: sum, Source: install.Source},
	}
	defer p.done()
	if err := lockfile.Update(ctx, s.LockPath(), p.place); err != nil {
		p.undo() // its sum could not be recorded
		return nil, err
	}
	return &Item{ID: id, Path: path, State: StateOK, Sum: sum, Source: install.Source}, nil
}

// untilDone is a reader that fails once the context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
