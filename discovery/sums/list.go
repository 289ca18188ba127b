package sums

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// List is the content of a file of sums, in its order.
type List []Entry

// Entry is one line of it.
type Entry struct {
	// Name is the file, as the list names it: relative to the list, with
	// slashes.
	Name string
	// Sum is the file's.
	Sum Sum
}

// Errors of [Lookup], List.Lookup and Check.
var (
	// ErrNotListed: the list does not name the file.
	ErrNotListed = errors.New("not in the list of sums")
	// ErrAmbiguous: the list has two sums for the file, so none counts.
	ErrAmbiguous = errors.New("in the list with two different sums")
)

// Lookup returns the sum for a name. "./name" and "name" are the same. A name without
// a directory is found in any ("dist/name"), unless the list has it without one too.
// The error wraps [ErrNotListed] or, for a name with two sums, [ErrAmbiguous].
func (l List) Lookup(name string) (Sum, error) {
	lines := make([]parsedLine, len(l))
	for i, entry := range l {
		lines[i].entry = entry
	}
	return want(lines, name)
}

// want returns the sum in the lines that count for a name: those with exactly it or,
// without such, those with it in a directory. They must be whole, and agree.
func want(lines []parsedLine, name string) (Sum, error) {
	name = path.Clean(name)
	var exact, inside []parsedLine
	for _, line := range lines {
		switch clean := path.Clean(line.entry.Name); {
		case line.entry.Name == "":
		case clean == name:
			exact = append(exact, line)
		case path.Base(clean) == name:
			inside = append(inside, line)
		}
	}
	if len(exact) == 0 {
		exact = inside
	}
	if len(exact) == 0 {
		return Sum{}, fmt.Errorf("%s: %w", name, ErrNotListed)
	}
	for _, line := range exact {
		if line.err != nil {
			return Sum{}, line.err
		}
		if line.entry.Sum != exact[0].entry.Sum {
			return Sum{}, fmt.Errorf("%s: %w", name, ErrAmbiguous)
		}
	}
	return exact[0].entry.Sum, nil
}

// Check compares a file with the list's sum for the last element of its path. The
// error is one of Lookup or a *[MismatchError].
func (l List) Check(path string) error {
	want, err := l.Lookup(filepath.Base(path))
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
			out = append(out, '\\') // marks an escaped name
		}
		out = fmt.Appendf(out, "%x *%s\n", entry.Sum[:], name)
	}
	return out
}

var (
	escaper   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)
