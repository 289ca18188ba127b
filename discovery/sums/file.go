package sums

import (
	"context"
	"errors"
	"io/fs"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
)

// Read parses the list in a regular file. Anything else is an error at once.
func Read(path string) (List, error) {
	data, err := files.Read(path, maxFile)
	if err != nil {
		return nil, err
	}
	return ParseList(path, data)
}

// Update changes the list in a file, also a missing one: under a lock of all calls of
// Update, in whatever process, so none loses another's change. change gets the list
// and returns the new one. If change fails, or the list has a broken line, the file
// stays as it is. Its mode is kept, and a symbolic link followed.
func Update(ctx context.Context, path string, change func(List) (List, error)) error {
	path = files.Target(path)
	unlock, err := files.Lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	list, err := Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if list, err = change(list); err != nil {
		return err
	}
	return files.Rewrite(path, list.Format(), 0o644)
}
