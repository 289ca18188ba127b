package discovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// file is a plugin's file, with the knowledge about it.
type file struct {
	plugin Plugin
	cache  *Cache

	print files.Fingerprint
	known cached
	fresh bool // there is something new to remember
}

func (f *file) stat() error {
	info, err := f.info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // it was when it was found
		return fmt.Errorf("%s: %w", f.plugin.Path, ErrChanged)
	}
	f.print = files.FingerprintOf(info)
	if f.cache != nil && f.plugin.fsys() == nil {
		f.known, _ = f.cache.get(f.plugin.Path, f.print)
	}
	f.known.File = f.print
	return nil
}

func (f *file) info() (fs.FileInfo, error) {
	if fsys := f.plugin.fsys(); fsys != nil {
		return fs.Stat(fsys, f.plugin.base())
	}
	return os.Stat(f.plugin.Path)
}

func (f *file) sum(ctx context.Context) (sums.Sum, error) {
	if !f.known.Sum.IsZero() {
		return f.known.Sum, nil
	}
	reader, err := f.open()
	if err != nil {
		return sums.Sum{}, err
	}
	defer func() { _ = reader.Close() }()
	sum, err := sums.OfReader(files.UntilDone{Ctx: ctx, Reader: reader})
	if err != nil {
		return sums.Sum{}, fmt.Errorf("read %s: %w", f.plugin.Path, err)
	}
	f.known.Sum, f.fresh = sum, true
	return sum, nil
}

func (f *file) open() (fs.File, error) {
	if fsys := f.plugin.fsys(); fsys != nil {
		return fsys.Open(f.plugin.base())
	}
	return files.Open(f.plugin.Path)
}

// describe asks the plugin, unless the answer is known. A missing description is
// remembered too, so the plugin is not run each time. Slowness and a failed start are
// not: they may pass without a change of the file.
//
// For a plugin with a sum, a copy with that sum runs.
func (f *file) describe(ctx context.Context, d Describer, want sums.Sum) (*Description, error) {
	if f.known.Description != nil {
		return f.known.Description, nil
	}
	if earlier := f.known.NoDescription; earlier != "" {
		return nil, &DescribeError{Path: f.plugin.Path, Err: fmt.Errorf("%w, as was found before: %s", ErrNoDescription, earlier)}
	}
	description, err := f.ask(ctx, d, want)
	var exit interface{ ExitCode() int }
	switch {
	case err == nil:
		f.known.Description, f.fresh = description, true
	case errors.Is(err, ErrNoDescription), errors.Is(err, ErrDescribeFlood), errors.As(err, &exit):
		f.known.NoDescription, f.fresh = err.Error(), true
	}
	return description, err
}

func (f *file) ask(ctx context.Context, d Describer, want sums.Sum) (*Description, error) {
	if want.IsZero() {
		return d.Describe(ctx, f.plugin.Path)
	}
	return d.DescribeSum(ctx, f.plugin.Path, want)
}

// changed reports a change of the file, if it was read or run.
func (f *file) changed() error {
	if !f.fresh || f.plugin.fsys() != nil {
		return nil
	}
	info, err := os.Stat(f.plugin.Path)
	if err == nil && files.FingerprintOf(info) != f.print {
		err = fmt.Errorf("%s: %w", f.plugin.Path, ErrChanged)
	}
	return err
}

// remember puts new results into the cache.
func (f *file) remember() {
	if f.cache != nil && f.fresh && f.plugin.fsys() == nil {
		f.cache.put(f.plugin.Path, f.known)
	}
}
