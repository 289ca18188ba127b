package logline

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The limits of a Tail that sets none.
const (
	defaultTailLines = 32
	defaultTailBytes = 4 << 10
)

// A Tail remembers the last lines of what a plugin wrote to stderr, for the
// error that says why it did not start. The first line of a panic is
// remembered beyond its turn: the trace under it can be longer than the tail,
// and says less.
//
// The zero Tail is ready for use, and all its methods may be called at the
// same time. It keeps no memory until there is a line.
type Tail struct {
	// MaxLines is how many lines are kept; 0 means 32.
	MaxLines int
	// MaxBytes is how many bytes of text are kept; 0 means 4 KiB. A single line
	// that is longer is cut off behind.
	MaxBytes int

	mu      sync.Mutex
	text    []byte // the lines behind each other, forgotten ones in front
	ends    []int  // where each line in text ends
	first   int    // the index in ends of the oldest line that is not forgotten
	from    int    // where that line starts in text
	count   int    // lines ever added
	panic   string // the first line of the last panic
	panicAt int    // its number, counted from 1; 0 is none
}

// Lines returns the lines that are remembered, the oldest first, without their
// line ends. Where a panic's first line stands in front of lines that do not
// follow it, a line in between says how many are missing.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := len(t.ends) - t.first
	forgotten := t.count - kept
	lines := make([]string, 0, kept+2)
	if t.panicAt > 0 && t.panicAt <= forgotten {
		lines = append(lines, t.panic)
		if missing := forgotten - t.panicAt; missing > 0 {
			lines = append(lines, fmt.Sprintf("... %d lines left out ...", missing))
		}
	}
	from := t.from
	for _, end := range t.ends[t.first:] {
		lines = append(lines, string(t.text[from:end]))
		from = end
	}
	return lines
}

// add remembers line.
func (t *Tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line = line[:min(len(line), t.maxBytes())]
	t.count++
	if IsDeathHeading(line) {
		t.panic, t.panicAt = string(line), t.count
	}
	t.text = append(t.text, line...)
	t.ends = append(t.ends, len(t.text))
	for len(t.ends)-t.first > t.maxLines() || len(t.text)-t.from > t.maxBytes() {
		t.from = t.ends[t.first]
		t.first++
	}
	if t.from >= t.maxBytes() || t.first >= 2*t.maxLines() {
		t.compact()
	}
}

// compact drops what is forgotten. It is called after so many bytes or lines
// that moving the rest costs little for each of them.
func (t *Tail) compact() {
	kept := copy(t.text, t.text[t.from:])
	t.text = t.text[:kept]
	kept = copy(t.ends, t.ends[t.first:])
	t.ends = t.ends[:kept]
	for i := range t.ends {
		t.ends[i] -= t.from
	}
	t.from, t.first = 0, 0
}

func (t *Tail) maxLines() int {
	if t.MaxLines > 0 {
		return t.MaxLines
	}
	return defaultTailLines
}

func (t *Tail) maxBytes() int {
	if t.MaxBytes > 0 {
		return t.MaxBytes
	}
	return defaultTailBytes
}

// Printable escapes the characters of a line that a terminal would obey, as
// strconv.Quote does, and leaves tabs and the rest as they are.
func Printable(line string) string {
	var b strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRuneInString(line)
		if r == '\t' || strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(line[:size])
		} else {
			quoted := strconv.Quote(line[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		line = line[size:]
	}
	return b.String()
}
