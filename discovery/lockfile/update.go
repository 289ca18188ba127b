package lockfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// Read parses the lock file at path, a regular file. If there is none the error
// wraps [fs.ErrNotExist]. The File is never nil.
func Read(path string) (*File, error) {
	_, f, err := read(path)
	return f, err
}

func read(path string) ([]byte, *File, error) {
	data, err := files.Read(path, maxFile)
	if err != nil {
		return nil, new(File), err
	}
	parsed, err := Parse(path, data)
	return data, parsed, err
}

// Update changes the lock file at path, or makes it: change gets what it says
// now, and what it leaves there is written. Writers take turns, in whatever
// process, so that none loses what another one wrote; ctx bounds the wait for
// that. With an error of change, and where the file has a part that cannot be
// read and would be lost, it stays as it is. Its mode is kept, and a symbolic
// link followed.
func Update(ctx context.Context, path string, change func(*File) error) error {
	path = files.Target(path)
	unlock, err := files.Lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	before, f, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the lock file stays as it is: %w", err)
	}
	if err := change(f); err != nil {
		return err
	}
	for _, entry := range f.entries {
		if err := entry.validate(); err != nil {
			return fmt.Errorf("the entry for %v cannot be written: %w", entry.Key, err)
		}
	}
	after, err := f.Format()
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return files.Rewrite(path, after, 0o644)
}
