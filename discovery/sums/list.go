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

// Errors of Want and Check.
var (
	// ErrNotListed: the list does not name the file.
	ErrNotListed = errors.New("not in the list of sums")
	// ErrAmbiguous: the list has two sums for the file, so it has none that
	// counts.
	ErrAmbiguous = errors.New("in the list with two different sums")
)

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

// Want is Lookup that says why there is no sum: the error wraps [ErrNotListed] or
// [ErrAmbiguous].
func (l List) Want(name string) (Sum, error) {
	if sum, ok := l.Lookup(name); ok {
		return sum, nil
	}
	if len(l.Remove(name)) < len(l) {
		return Sum{}, fmt.Errorf("%s: %w", name, ErrAmbiguous)
	}
	return Sum{}, fmt.Errorf("%s: %w", name, ErrNotListed)
}

// Check compares a file with the sum that the list has for the last element of
// its path. The error is one of Want or a *[MismatchError].
func (l List) Check(path string) error {
	want, err := l.Want(filepath.Base(path))
	if err != nil {
		return err
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
