package sums

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// List is what a file of sums says, in its order.
type List []Entry

// Entry is one line of it.
type Entry struct {
	// Name is the file, as the list names it: relative to the list, with
	// slashes.
	Name string
	// Sum is the file's.
	Sum Sum
}

// ErrNotListed is in the error of Check for a file that the list does not name.
var ErrNotListed = errors.New("not in the list of sums")

// Lookup returns the sum for a name. "./name" and "name" are the same. If the
// list has two sums for the name, it has none that counts.
func (l List) Lookup(name string) (Sum, bool) {
	var found Sum
	for _, entry := range l {
		if strings.TrimPrefix(entry.Name, "./") != strings.TrimPrefix(name, "./") {
			continue
		}
		if !found.IsZero() && found != entry.Sum {
			return Sum{}, false
		}
		found = entry.Sum
	}
	return found, !found.IsZero()
}

// Check compares a file with the sum that the list has for the last element of
// its path. The error wraps [ErrNotListed] or is a *[MismatchError].
func (l List) Check(path string) error {
	want, ok := l.Lookup(filepath.Base(path))
	if !ok {
		return fmt.Errorf("%s: %w", path, ErrNotListed)
	}
	return Check(path, want)
}

// Set makes the sum of a name this one, and returns the list. The list itself is
// not changed.
func (l List) Set(name string, sum Sum) List {
	l = l.Remove(name)
	return append(l, Entry{Name: name, Sum: sum})
}

// Remove returns the list without a name. The list itself is not changed.
func (l List) Remove(name string) List {
	return slices.DeleteFunc(slices.Clone(l), func(e Entry) bool {
		return strings.TrimPrefix(e.Name, "./") == strings.TrimPrefix(name, "./")
	})
}

// Format writes the list as "sha256sum --binary" does, sorted by name.
func (l List) Format() []byte {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	var out []byte
	for _, entry := range l {
		name := escaper.Replace(entry.Name)
		if name != entry.Name {
			out = append(out, '\\') // says that the name is escaped
		}
		out = fmt.Appendf(out, "%x *%s\n", entry.Sum[:], name)
	}
	return out
}

var (
	escaper   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)
