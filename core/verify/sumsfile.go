package verify

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/core/internal/fileid"
)

// maxSumsLine bounds a line of a file of sums, and maxSumsFile such a file, in
// bytes.
const (
	maxSumsLine = 16 << 10
	maxSumsFile = 16 << 20
)

// sumsFile is the verifier of [SumsFile].
type sumsFile struct {
	hash crypto.Hash
	path string
}

// SumsFile lets a program run if its sum is in a file, in the format of sha256sum and
// its like (SHA256SUMS): a line for each program, with the sum in hexadecimal, two
// blanks or a blank and an asterisk, and the file's name; or as with their option
// --tag. Other lines (a signature around them, comments that begin with #) are
// skipped. A file "program.sha256" may have the sum of that program alone.
//
// The launched name finds a program: the last element of its path, links not
// followed. With several lines for the name, those count that name it from the
// directory of the file of sums, as for sha256sum --check, or by its whole path;
// without any of these all lines count. The lines that count must be whole, and
// agree.
//
// The file, a regular one, is read at each launch. Nobody from whom it protects the
// program may be able to write to it, so it should not be in the same directory.
//
// A program without a readable line is a *[SumsError]; a program with another sum is
// a *[ChecksumError].
func SumsFile(hash crypto.Hash, path string) Verifier { return sumsFile{hash: hash, path: path} }

func (s sumsFile) validate() error { return checkHash(s.hash) }

// Verify reads the file and compares the sums.
func (s sumsFile) Verify(ctx context.Context, program *Program) error {
	if err := s.validate(); err != nil {
		return err
	}
	want, err := s.lookUp(program.path)
	if err != nil {
		return err
	}
	return compare(ctx, program, s.hash, want)
}

func (s sumsFile) lookUp(program string) ([]byte, error) {
	name := filepath.Base(program)
	failed := func(line int, reason string, err error) error {
		return &SumsError{File: s.path, Name: name, Line: line, Reason: reason, Err: err}
	}
	file, err := fileid.Open(s.path) // a pipe would outlast the launch
	if err != nil {
		return nil, failed(0, "", err)
	}
	defer file.Close()
	dir, err := filepath.Abs(filepath.Dir(s.path))
	if err != nil {
		return nil, failed(0, "", err)
	}
	text, err := readSums(file, s.hash)
	if err != nil {
		return nil, failed(0, "", err)
	}
	lines := text.of(program, dir)
	if sum := text.alone; len(lines) == 0 && sum != nil && sumsOf(s.path, name) {
		return sum, nil
	}
	if len(lines) == 0 {
		return nil, failed(0, "is not listed"+text.omissions(), nil)
	}
	for _, line := range lines {
		if line.problem != "" {
			return nil, failed(line.number, line.problem, nil)
		}
		if !bytes.Equal(line.sum, lines[0].sum) {
			return nil, failed(line.number, fmt.Sprintf("has another sum than in line %d", lines[0].number), nil)
		}
	}
	return lines[0].sum, nil
}

// sumsOf reports whether the name of a file of sums says that it is for that program
// alone.
func sumsOf(path, program string) bool {
	base := filepath.Base(path)
	return sameFileName(base, program+".sha256") || sameFileName(base, program+".sha256sum")
}

// sumsText is the content of a file of sums.
type sumsText struct {
	lines       []sumLine
	alone       []byte // the sum without a name, as the only content; may be nil
	unread      int    // how many give no sum, comments and empty ones left out
	firstUnread int    // the number of the first of them
}

// sumLine is one line of a file of sums.
type sumLine struct {
	number  int
	name    string // with the slashes of the platform
	sum     []byte
	problem string // why there is no sum
}

// of returns the lines that count for a program.
func (t *sumsText) of(program, dir string) []sumLine {
	var named, exact []sumLine
	for _, line := range t.lines {
		if !sameFileName(filepath.Base(line.name), filepath.Base(program)) {
			continue
		}
		named = append(named, line)
		if sameFileName(located(filepath.Clean(line.name), dir), program) {
			exact = append(exact, line)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return named
}

// omissions names lines that might have been meant for a program without a line.
func (t *sumsText) omissions() string {
	if t.unread == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d lines cannot be read as ones of sums, the first of them line %d)", t.unread, t.firstUnread)
}

// byteOrderMark is written by some editors at the beginning of a file.
const byteOrderMark = "\ufeff"

// readSums returns the lines with sums. Lines with unreadable names are left out: no
// program has such a name.
func readSums(r io.Reader, hash crypto.Hash) (*sumsText, error) {
	limited := &io.LimitedReader{R: r, N: maxSumsFile + 1}
	scanner := bufio.NewScanner(limited)
	scanner.Buffer(nil, maxSumsLine)
	text := new(sumsText)
	number := 1
	for ; scanner.Scan(); number++ {
		line := strings.TrimSuffix(scanner.Text(), "\r")
		if number == 1 {
			line = strings.TrimPrefix(line, byteOrderMark)
		}
		text.add(number, line, hash)
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("its line %d is longer than %d bytes: is it a file of sums?", number, maxSumsLine)
	case err != nil:
		return nil, err
	case limited.N == 0:
		return nil, fmt.Errorf("it is longer than %d bytes", maxSumsFile)
	}
	return text, nil
}

func (t *sumsText) add(number int, text string, hash crypto.Hash) {
	if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
		return
	}
	line, ok := parseSum(text, hash)
	line.number = number
	t.alone = nil
	if sum, err := hex.DecodeString(strings.TrimSpace(text)); err == nil && len(sum) == hash.Size() && t.unread+len(t.lines) == 0 {
		t.alone = sum
	}
	if ok {
		t.lines = append(t.lines, line)
	}
	if ok && line.problem == "" {
		return
	}
	if t.unread++; t.unread == 1 {
		t.firstUnread = number
	}
}

// parseSum reads a line. ok is false if it is not one of a sum at all.
func parseSum(line string, hash crypto.Hash) (parsed sumLine, ok bool) {
	escaped := strings.HasPrefix(line, `\`)
	line = strings.TrimPrefix(line, `\`)
	digits, name, ok := cutTagged(line, hash)
	if !ok {
		digits, name, ok = cutPlain(line)
	}
	if !ok {
		return sumLine{}, false
	}
	if escaped {
		name = sumNameEscapes.Replace(name)
	}
	parsed.name = filepath.FromSlash(name)
	sum, err := hex.DecodeString(digits)
	switch {
	case err != nil:
		parsed.problem = "has no sum in hexadecimal"
	case len(sum) != hash.Size():
		parsed.problem = fmt.Sprintf("has a sum of %d bytes, and a %v has %d", len(sum), hash, hash.Size())
	default:
		parsed.sum = sum
	}
	return parsed, true
}

// sumNameEscapes are the escapes in a line that begins with a backslash.
var sumNameEscapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

// cutPlain cuts "sum  name" and "sum *name".
func cutPlain(line string) (digits, name string, ok bool) {
	digits, rest, ok := strings.Cut(line, " ")
	if !ok || digits == "" || len(rest) < 2 || rest[0] != ' ' && rest[0] != '*' {
		return "", "", false
	}
	return digits, rest[1:], true
}

// cutTagged cuts "SHA256 (name) = sum".
func cutTagged(line string, hash crypto.Hash) (digits, name string, ok bool) {
	tag, rest, ok := strings.Cut(line, " (")
	if !ok || !slices.Contains([]string{hash.String(), strings.Replace(hash.String(), "SHA-", "SHA", 1)}, tag) {
		return "", "", false
	}
	end := strings.LastIndex(rest, ") = ")
	if end <= 0 {
		return "", "", false
	}
	return rest[end+len(") = "):], rest[:end], true
}

// SumsError says that a file of sums has no clear sum of a program. The program did
// not run.
type SumsError struct {
	// File is the file of sums.
	File string
	// Name is the program's name, as looked for.
	Name string
	// Line is the faulty line, from 1 on; 0 if there is none.
	Line int
	// Reason is the fault of the line, or of its absence. Empty: Err says it.
	Reason string
	// Err is why the file could not be read; nil if it could.
	Err error
}

func (e *SumsError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the sum of %q cannot be looked up in %q: %v", e.Name, e.File, bare(e.Err))
	}
	at := ""
	if e.Line > 0 {
		at = fmt.Sprintf(", line %d", e.Line)
	}
	return fmt.Sprintf("the program %q %s in the file of sums %q%s: correct that file, or name the right one",
		e.Name, e.Reason, e.File, at)
}

// Unwrap returns why the file could not be read.
func (e *SumsError) Unwrap() error { return e.Err }

// bare returns an error without the path, since it was said before.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
