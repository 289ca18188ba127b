// Package lockfile keeps the list of a user's or a project's agreed plugins: name,
// version and platform, the SHA-256 sum, and the source. A host runs plugins of the
// list, as long as the sum is right.
//
//	lock, err := lockfile.Read("greet.lock.json")
//	entry, ok := lock.Lookup(lockfile.Key{Name: "loud", Version: v, Platform: "linux_amd64"})
//	err = sums.Check(path, entry.Sum) // *sums.MismatchError says both sums
//
//	err = lockfile.Update(ctx, "greet.lock.json", func(f *lockfile.File) error {
//		f.Set(entry)
//		return nil
//	})
//
// The file is JSON, sorted, for version control:
//
//	{
//	  "version": 1,
//	  "plugins": [
//	    {
//	      "name": "loud",
//	      "version": "1.4.0",
//	      "platform": "linux_amd64",
//	      "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
//	      "source": "https://plugins.example.com/loud/1.4.0"
//	    }
//	  ]
//	}
//
// It is replaced as a whole, and writers take turns. So a reader never sees half of
// it, and no writer loses another's change.
package lockfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// format is the version of the file's form from this package.
const format = 1

// File is the content of a lock file. The zero value is an empty one. It is not safe
// for use by several goroutines while one changes it.
type File struct {
	entries []Entry // sorted by key; keys are unique
}

// Entries returns all entries, sorted by name, the newest version first. The
// slice is the caller's.
func (f *File) Entries() []Entry { return slices.Clone(f.entries) }

// Lookup returns the entry for exactly that key.
func (f *File) Lookup(key Key) (Entry, bool) {
	i, found := f.find(key)
	if !found {
		return Entry{}, false
	}
	return f.entries[i], true
}

// LookupSum returns an entry of that kind, name and sum, whatever its version and
// platform: it identifies a file without them.
func (f *File) LookupSum(kind, name string, sum sums.Sum) (Entry, bool) {
	for _, entry := range f.Named(kind, name) {
		if entry.Sum == sum {
			return entry, true
		}
	}
	return Entry{}, false
}

// Named returns the entries of one plugin, the newest version first. The slice
// is the caller's.
func (f *File) Named(kind, name string) []Entry {
	from, _ := slices.BinarySearchFunc(f.entries, Key{Kind: kind, Name: name}, func(e Entry, k Key) int {
		return Key{Kind: e.Kind, Name: e.Name}.compare(k)
	})
	to := from
	for to < len(f.entries) && f.entries[to].Kind == kind && f.entries[to].Name == name {
		to++
	}
	return slices.Clone(f.entries[from:to])
}

// Set adds the entry, in the place of one with the same key.
func (f *File) Set(entry Entry) {
	i, found := f.find(entry.Key)
	if found {
		f.entries[i] = entry
		return
	}
	f.entries = slices.Insert(f.entries, i, entry)
}

// Remove removes the entry with that key, and reports whether there was one.
func (f *File) Remove(key Key) bool {
	i, found := f.find(key)
	if found {
		f.entries = slices.Delete(f.entries, i, i+1)
	}
	return found
}

func (f *File) find(key Key) (int, bool) {
	return slices.BinarySearchFunc(f.entries, key, func(e Entry, k Key) int { return e.compare(k) })
}

// Clone returns a copy. It shares nothing with f.
func (f *File) Clone() *File { return &File{entries: slices.Clone(f.entries)} }

// Format returns the file as it is written.
func (f *File) Format() ([]byte, error) {
	out := struct {
		Version int     `json:"version"`
		Plugins []Entry `json:"plugins"`
	}{Version: format, Plugins: f.entries}
	if out.Plugins == nil {
		out.Plugins = []Entry{}
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

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

// Update changes the lock file at path, or makes it: change gets the present content
// and leaves the new one. Writers in all processes take turns, so none loses
// another's change; ctx bounds the wait for that. The file stays as it is if change
// fails, or if a part cannot be read and would be lost. Its mode is kept, and a
// symbolic link followed.
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
			return fmt.Errorf("the entry for %s cannot be written: %w", entry.Key.shown(), err)
		}
	}
	after, err := f.Format()
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return files.Rewrite(path, after, 0o644)
}
