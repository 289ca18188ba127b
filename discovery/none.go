package discovery

import (
	"fmt"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
)

// NoneError says that no found plugin fits the request.
type NoneError struct {
	// Request is the request.
	Request Request
	// Rejected are the plugins of that name with the reasons against them, the newest
	// first.
	Rejected []Rejected
	// Problems are the unusable files of that name, and the directories without a
	// search.
	Problems []*Problem
	// Dirs are the directories of the search.
	Dirs []string
	// Nearest is the name of a found plugin with a few other letters. Empty: there is
	// none.
	Nearest string
}

const (
	shownDirs  = 8
	shownLines = 20
	shownLine  = 2 << 10 // bytes
)

func (e *NoneError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no usable plugin %s was found", text.Line(e.Request.String(), shownText))
	if len(e.Rejected)+len(e.Problems) == 0 {
		b.WriteString(": no file has this name in " + e.searched())
	}
	if e.Nearest != "" {
		fmt.Fprintf(&b, " (is %q meant?)", e.Nearest)
	}
	lines := make([]string, 0, len(e.Rejected)+len(e.Problems))
	for _, passed := range e.Rejected {
		lines = append(lines, fmt.Sprintf("%s: %v", passed.Path, passed.Err))
	}
	for _, problem := range e.Problems {
		lines = append(lines, problem.Error())
	}
	for _, line := range lines[:min(len(lines), shownLines)] {
		b.WriteString("\n\t" + text.Line(line, shownLine))
	}
	if more := len(lines) - shownLines; more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more", more)
	}
	return b.String()
}

func (e *NoneError) searched() string {
	if len(e.Dirs) == 0 {
		return "no directory, since none was given to the search"
	}
	shown := make([]string, 0, shownDirs)
	for _, dir := range e.Dirs[:min(len(e.Dirs), shownDirs)] {
		shown = append(shown, text.Line(dir, shownLine))
	}
	list := strings.Join(shown, ", ")
	if more := len(e.Dirs) - shownDirs; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// pass notes why a candidate will not do. A hidden one is among the problems already.
func (e *NoneError) pass(c *candidate, err error) {
	if c.hiddenBy == "" {
		e.Rejected = append(e.Rejected, Rejected{Plugin: c.Plugin, Err: err})
	}
}

// nearest returns the name closest to the requested one, unless that was found or all
// differ much.
func nearest(found *Found, request Request) string {
	want := strings.ToLower(request.Name)
	best, distance := "", 1+max(1, len(want)/3)
	look := func(id ID) (same bool) {
		if id.Name == "" || id.Name == best {
			return false
		}
		d := editDistance(want, strings.ToLower(id.Name), distance)
		if id.Kind != request.Kind {
			d++
		}
		if d < distance {
			best, distance = lockfile.Key{Kind: id.Kind, Name: id.Name}.String(), d
		}
		return id.Name == request.Name && id.Kind == request.Kind
	}
	for i := range found.Plugins {
		if look(found.Plugins[i].ID) {
			return ""
		}
	}
	for _, problem := range found.Problems {
		if look(problem.Plugin) {
			return ""
		}
	}
	return best
}

// editDistance counts the bytes to add, remove or change, and the neighbours to exchange, to
// make a of b, up to a limit. Names are short (maxName).
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > maxName {
		return limit
	}
	last, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], last[j-1]+1)
			}
		}
		last, row, next = row, next, last
	}
	return min(row[len(b)], limit)
}
