package lockfile

import (
	"encoding/json"
	"slices"

	"github.com/jackfield-go/jackfield/discovery/sums"
)

// format is the version of the file's form that this package writes.
const format = 1

// File is what a lock file says. The zero value is an empty one. It is not safe
// for use by several goroutines while one changes it.
type File struct {
	entries []Entry // sorted by key, which is unique
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

// LookupSum returns an entry of that kind, name and sum, whatever its version
// and platform: what a file is that does not say it.
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

// Clone returns a copy that shares nothing with f.
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
