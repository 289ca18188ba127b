package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// DefaultMaxSize is the default of InstallOptions.MaxSize: 1 GiB.
const DefaultMaxSize = 1 << 30

// InstallOptions configures an installation.
type InstallOptions struct {
	// ID identifies the plugin. Its zero fields are taken from the names of the file
	// and of the program in an archive, then a version from the program's own
	// description. Without a platform in any name it is the store's.
	ID discovery.ID
	// File is the name of InstallFrom's file. A name with the suffix .tar.gz, .tgz or
	// .zip is an archive's. Empty for Install: the last element of the path. Empty
	// for InstallFrom: it is a program, and ID has the name.
	File string
	// Want is the required sum of the file; of an archive, the archive's. Zero: any.
	Want sums.Sum
	// Verify looks at the file, an archive or a program, before it is unpacked or
	// run. An error refuses it. Nil: nothing more is checked.
	Verify func(ctx context.Context, file *os.File) error
	// Source is recorded as where the plugin came from. Empty: the file's path.
	Source string
	// Replace replaces a file of the same plugin in the same version with another
	// sum. Without it that is an [ErrInstalled].
	Replace bool
	// Undescribed takes a program without a description, such as one built with
	// go-plugin. It is asked all the same; an answer must agree.
	Undescribed bool
	// AppVersions and Transports are the host's, as in a [discovery.Request]. A plugin
	// with app versions, but none of these, is a *[ClaimError]. Nil: not compared.
	AppVersions []int
	Transports  []string
	// HostVersion is the host's own version. A plugin that requires another is a
	// *[ClaimError]. Zero: not compared.
	HostVersion semver.Version
	// MaxSize bounds the file, and the unpacked content of an archive, in bytes. 0:
	// DefaultMaxSize.
	MaxSize int64
	// Progress is called as the work goes on, in the goroutine of the call. Nil:
	// nobody is told.
	Progress func(Progress)
}

// Progress is how far an installation is.
type Progress struct {
	// Stage is "download", "copy", "unpack" or "describe".
	Stage string
	// Done is how many bytes of the file are done, of Total. Total is -1 where it is
	// unknown; both are 0 for "describe".
	Done, Total int64
}

// ErrInstalled is in the error for an installed plugin with another content.
var ErrInstalled = errors.New("another file is installed under this name and version")

// Install installs a file: a program, or a release's archive (.tar.gz, .tgz, .zip)
// with exactly one program of a fitting name. The file is copied into a private
// directory in the store. There its sum is compared, it is unpacked and, on its own
// platform, asked for its description (Store.Describer). Then the program takes its
// name in the store, as a whole, and its sum is recorded. On an error the earlier
// state stays, and nothing else is left. A killed process leaves at most a plugin
// without a recorded sum; another installation completes it.
//
// The error wraps a *[ClaimError] for a program that contradicts its installation; a
// *[discovery.DescribeError] for a missing description; a *[sums.MismatchError] for a
// wrong sum, also where the lock file has another one for a missing file; an
// *[ArchiveError]; a *[SizeError]; a *[discovery.NameError] for a file name without
// enough in it; [ErrInstalled]; [discovery.ErrChanged] if the file was written to
// meanwhile; a *[discovery.Problem] if it is no regular file, or could not be found
// again: it is for another platform than the store's, its name differs from an
// installed one's in capitals only, or everybody may change the store's directory.
func (s Store) Install(ctx context.Context, path string, install InstallOptions) (*Item, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("install a plugin: %w", asProblem(path, err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("install a plugin: %w", err)
	}
	install.File = cmp.Or(install.File, filepath.Base(path))
	if install.Source == "" {
		install.Source = path
		if absolute, err := filepath.Abs(path); err == nil {
			install.Source = absolute
		}
	}
	item, err := s.install(ctx, &steady{file: file, info: info}, info.Size(), path, install)
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", text.Printable(path), err)
	}
	return item, nil
}

// asProblem makes a file other than a regular one a problem.
func asProblem(path string, err error) error {
	if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() {
		return &discovery.Problem{Path: path, Reason: discovery.ReasonNotRegular}
	}
	return err
}

// steady is a file without writes while it is read: an end with another size, time or
// identity than at the beginning is an error.
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
		return n, fmt.Errorf("%s: %w", s.file.Name(), discovery.ErrChanged)
	}
	return n, err
}

// InstallFrom is Install of r's content, to its end. InstallOptions.File or InstallOptions.ID must
// name the plugin.
func (s Store) InstallFrom(ctx context.Context, r io.Reader, install InstallOptions) (*Item, error) {
	given := cmp.Or(install.File, install.ID.String())
	item, err := s.install(ctx, r, -1, given, install)
	if err != nil {
		return nil, fmt.Errorf("install plugin %s: %w", text.Printable(given), err)
	}
	return item, nil
}

// install installs r's content: size bytes, or -1 if that is unknown.
func (s Store) install(ctx context.Context, r io.Reader, size int64, given string, install InstallOptions) (*Item, error) {
	i := &installation{InstallOptions: install, store: s, given: text.Printable(given)}
	i.MaxSize = cmp.Or(i.MaxSize, DefaultMaxSize)
	if err := i.nameByFile(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	switch _, unusable, err := s.find(ctx, dir); {
	case err != nil:
		return nil, err
	case unusable != nil:
		return nil, unusable
	}
	if i.staging, err = newStaging(ctx, dir); err != nil {
		return nil, err
	}
	defer i.staging.remove()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return i.receive(ctx, r, size) },
		i.unpack,
		i.ask,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return i.place(ctx, dir)
}
