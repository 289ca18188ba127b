package sums

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// These bound a foreign list.
const (
	maxFile   = 8 << 20
	maxLine   = 8 << 10
	maxErrors = 20
	maxBroken = 10_000 // lines
	shownLine = 160
	shownFile = 4 << 10
)

var byteOrderMark = []byte("\ufeff")

// LineError is the fault of a line in a list. The other lines count.
type LineError struct {
	// File is the list, Line the number of the line, from 1.
	File string
	Line int
	// Text is the line, shortened if it was long.
	Text string
	// Reason is the fault.
	Reason string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("%s:%d: %q is no line of a list of SHA-256 sums: %s", text.Line(e.File, shownFile), e.Line, e.Text, e.Reason)
}

// ParseList reads a list; file is its name in errors. Empty lines and those with # at
// the beginning are skipped; lines may end as on Windows. A file "name.sha256" may
// have the sum of name alone. The list holds all good lines, also beside an error:
// one or several *[LineError], joined, the first twenty of them.
func ParseList(file string, data []byte) (List, error) {
	lines, err := parseLines(file, data)
	if err != nil {
		return nil, err
	}
	var list List
	var errs []error
	for _, line := range lines {
		switch {
		case line.err == nil:
			list = append(list, line.entry)
		case len(errs) < maxErrors:
			errs = append(errs, line.err)
		}
	}
	return list, errors.Join(errs...)
}

// Lookup returns the sum for a name in the text of a list, as List.Lookup does; file is
// the list's name in errors. An unreadable line does not matter, such as one of a
// signature around the list, unless it names that file: then the error is its
// *[LineError].
func Lookup(file string, data []byte, name string) (Sum, error) {
	lines, err := parseLines(file, data)
	if err != nil {
		return Sum{}, err
	}
	sum, err := want(lines, name)
	if errors.Is(err, ErrNotListed) || errors.Is(err, ErrAmbiguous) {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return sum, err
}

// parsedLine is an entry or, with err, a line with at most a known name.
type parsedLine struct {
	entry Entry
	err   error
}

func parseLines(file string, data []byte) ([]parsedLine, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s exceeds the limit of %d bytes for a list of sums", file, maxFile)
	}
	data = bytes.TrimPrefix(data, byteOrderMark) // Windows begins texts with it
	if sum, err := Parse(string(bytes.TrimSpace(data))); err == nil && !sum.IsZero() {
		if name, ok := alone(file); ok {
			return []parsedLine{{entry: Entry{Name: name, Sum: sum}}}, nil
		}
	}
	var lines []parsedLine
	number, broken := 0, 0
	for line := range bytes.Lines(data) {
		number++
		entry, skip, reason := parseLine(line)
		if skip {
			continue
		}
		parsed := parsedLine{entry: entry}
		if reason != "" {
			if broken++; broken > maxBroken {
				return nil, fmt.Errorf("%s has more than %d lines without a sum", file, maxBroken)
			}
			parsed.err = &LineError{File: file, Line: number, Text: text.Clip(string(bytes.TrimRight(line, "\r\n")), shownLine), Reason: reason}
		}
		lines = append(lines, parsed)
	}
	return lines, nil
}

// alone returns the name of the single file in a list with that file name.
func alone(file string) (string, bool) {
	base := filepath.Base(file)
	for _, suffix := range []string{".sha256", ".sha256sum"} {
		if name, ok := strings.CutSuffix(base, suffix); ok && name != "" {
			return name, true
		}
	}
	return "", false
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
		return Entry{Name: name}, false, "the sum must be 64 hexadecimal digits"
	}
	return Entry{Name: name, Sum: parsed}, false, ""
}

// splitLine takes both forms apart.
func splitLine(text string) (sum, name, reason string) {
	rest, tagged := strings.CutPrefix(text, "SHA256 (")
	if !tagged {
		rest, tagged = strings.CutPrefix(text, "SHA-256 (")
	}
	if tagged {
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
