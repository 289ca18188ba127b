package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/imports"
)

// renaming replaces one pair of names with another, in files of every kind.
type renaming struct {
	old, new names
	// replacements are pairs of old and new names: the path, the module on buf's registry,
	// the owner there.
	replacements [][2]string
	// pattern finds an old name outside any longer name: acme/panel, but not
	// acme/panel-tools.
	pattern *regexp.Regexp
}

func newRenaming(old, to names) renaming {
	r := renaming{old: old, new: to, replacements: [][2]string{
		{old.path, to.path},
		{old.buf, to.buf},
		{path.Dir(old.buf), path.Dir(to.buf)},
	}}
	var alternatives []string
	for _, replacement := range r.replacements {
		alternatives = append(alternatives, regexp.QuoteMeta(replacement[0]))
	}
	r.pattern = regexp.MustCompile("(" + strings.Join(alternatives, "|") + `)([^0-9A-Za-z_~-]|$)`)
	return r
}

// text replaces the names in text. Sorted lists of paths stay sorted.
func (r renaming) text(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for rest := lines; len(rest) > 0; {
		end := 1
		// A last line without a newline stays last.
		for end < len(rest) && bytes.HasSuffix(rest[end], []byte("\n")) && bytes.Compare(rest[end-1], rest[end]) <= 0 {
			end++
		}
		r.sortedLines(rest[:end])
		rest = rest[end:]
	}
	return bytes.Join(lines, nil)
}

// sortedLines replaces the names in sorted lines, and sorts the lines again if any begins
// with the path.
func (r renaming) sortedLines(lines [][]byte) {
	list := false
	for i, line := range lines {
		list = list || bytes.HasPrefix(line, []byte(r.old.path))
		lines[i] = r.pattern.ReplaceAllFunc(line, r.replace)
	}
	if list {
		slices.SortStableFunc(lines, bytes.Compare)
	}
}

// replace returns the new name for a match of the pattern.
func (r renaming) replace(found []byte) []byte {
	for _, replacement := range r.replacements {
		if after, ok := bytes.CutPrefix(found, []byte(replacement[0])); ok {
			return append([]byte(replacement[1]), after...)
		}
	}
	return found
}

// disguises are other spellings of a path, in patterns, scripts and URLs.
var disguises = strings.NewReplacer(`\`, "", "%2F", "/", "%2f", "/")

// isIn reports whether text contains the old path, escaped or not. The new path may contain
// the old path.
func (r renaming) isIn(text []byte) bool {
	plain := strings.ReplaceAll(disguises.Replace(string(text)), r.new.path, "")
	for _, found := range r.pattern.FindAllString(plain, -1) {
		if strings.HasPrefix(found, r.old.path) {
			return true
		}
	}
	return false
}

// file returns a file's content after the move. Generated Go code stays unchanged.
func (r renaming) file(name string, text []byte) ([]byte, error) {
	switch {
	case path.Ext(name) == ".binpb":
		return r.descriptors(text)
	case !r.pattern.Match(text):
		return text, nil
	case isGenerated(name, text):
		return text, nil
	case strings.HasSuffix(name, "_pb2.py"):
		return r.python(text)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("a binary file contains the path, and its format is unknown")
	}
	text = r.text(text)
	switch path.Ext(name) {
	case ".go":
		return r.goFile(name, text)
	case ".mod":
		return modFile(name, text)
	}
	return text, nil
}

// isGenerated reports whether a file is Go code with a generator's first line.
func isGenerated(name string, text []byte) bool {
	if path.Ext(name) != ".go" {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.PackageClauseOnly|parser.ParseComments)
	return err == nil && ast.IsGenerated(file)
}

// goFile formats Go code like goimports in the linters, because goimports sorts imports by
// path.
func (r renaming) goFile(name string, text []byte) ([]byte, error) {
	imports.LocalPrefix = r.new.path
	return imports.Process(name, text, &imports.Options{Comments: true, TabIndent: true, TabWidth: 8, FormatOnly: true})
}

// modFile formats a go.mod like the go command, because that command sorts requirements by
// path.
func modFile(name string, text []byte) ([]byte, error) {
	file, err := modfile.Parse(name, text, nil)
	if err != nil {
		return nil, err
	}
	file.SortBlocks()
	file.Cleanup()
	return file.Format()
}
