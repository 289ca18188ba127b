package sums

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/atomicfile"
)

// What bounds a list that somebody else wrote.
const (
	maxFile   = 8 << 20
	maxLine   = 8 << 10
	maxErrors = 20
)

var byteOrderMark = []byte("\ufeff")

// LineError says that a line of a file is none of a list. The other lines count.
type LineError struct {
	// File is the list, Line the number of the line, from 1.
	File string
	Line int
	// Text is the line, shortened if it was long.
	Text string
	// Reason says what is wrong with it.
	Reason string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("%s:%d: %q is no line of a list of SHA-256 sums: %s", e.File, e.Line, e.Text, e.Reason)
}

// Read parses the list in a regular file. What is none is an error at once.
func Read(path string) (List, error) {
	data, err := atomicfile.Read(path, maxFile)
	if err != nil {
		return nil, err
	}
	return ParseList(path, data)
}

// ParseList reads a list; file is its name in errors. Empty lines and those that
// begin with # are skipped; lines may end as Windows ends them. The list holds all good lines, also where there is
// an error: of one or several *[LineError], joined, of which the first twenty
// are told.
func ParseList(file string, data []byte) (List, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is longer than the %d bytes that a list of sums may have", file, maxFile)
	}
	var list List
	var errs []error
	number := 0
	data = bytes.TrimPrefix(data, byteOrderMark) // with which Windows begins texts
	for line := range bytes.Lines(data) {
		number++
		entry, skip, reason := parseLine(line)
		switch {
		case reason == "" && !skip:
			list = append(list, entry)
		case reason != "" && len(errs) < maxErrors:
			errs = append(errs, &LineError{File: file, Line: number, Text: clip(line), Reason: reason})
		}
	}
	return list, errors.Join(errs...)
}

func clip(line []byte) string {
	const shown = 160
	text := string(bytes.TrimRight(line, "\r\n"))
	if len(text) > shown {
		return strings.ToValidUTF8(text[:shown], "") + "…"
	}
	return text
}

func parseLine(line []byte) (entry Entry, skip bool, reason string) {
	if len(line) > maxLine {
		return Entry{}, false, fmt.Sprintf("it is longer than %d bytes", maxLine)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	if strings.TrimSpace(text) == "" || text[0] == '#' {
		return Entry{}, true, ""
	}
	text, escaped := strings.CutPrefix(text, `\`)
	sum, name, reason := splitLine(text)
	if reason != "" {
		return Entry{}, false, reason
	}
	if escaped {
		name = unescaper.Replace(name)
	}
	if strings.ContainsRune(name, 0) {
		return Entry{}, false, "there is a NUL byte in the name"
	}
	parsed, err := Parse(sum)
	if err != nil || parsed.IsZero() {
		return Entry{}, false, "the sum must be 64 hexadecimal digits"
	}
	return Entry{Name: name, Sum: parsed}, false, ""
}

// splitLine takes both forms apart.
func splitLine(text string) (sum, name, reason string) {
	if rest, tagged := strings.CutPrefix(text, "SHA256 ("); tagged {
		end := strings.LastIndex(rest, ") = ")
		if end <= 0 {
			return "", "", "it must be SHA256 (name) = sum"
		}
		return rest[end+len(") = "):], rest[:end], ""
	}
	sum, name, found := strings.Cut(text, " ")
	if !found || len(name) < 2 || name[0] != ' ' && name[0] != '*' {
		return "", "", "it must be a sum, two spaces or a space and *, and a name"
	}
	return sum, name[1:], ""
}

// Write replaces a file by the list, atomically. Its mode is 0644.
func (l List) Write(path string) error {
	return atomicfile.Write(path, l.Format(), 0o644)
}

// Update changes the list in a file, which need not exist: under a lock that
// other calls of Update heed too, in whatever process, so that none loses what
// another one wrote. change gets the list and returns the new one; with an error
// of its own, or with a list that has a broken line, the file stays as it is. Its
// mode is kept, and a symbolic link followed.
func Update(ctx context.Context, path string, change func(List) (List, error)) error {
	path = atomicfile.Target(path)
	unlock, err := atomicfile.Lock(ctx, path)
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
	return atomicfile.Rewrite(path, list.Format(), 0o644)
}
