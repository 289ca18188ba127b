package logline

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The default limits of a Tail.
const (
	defaultTailLines = 32
	defaultTailBytes = 4 << 10
)

// A Tail remembers the last lines of a plugin's stderr, for the error of a
// failed start. It keeps the first line of a panic longer, because the trace
// below can exceed the tail and says less.
//
// The zero Tail is ready for use, and all its methods may be called
// concurrently. It uses no memory before the first line.
type Tail struct {
	// MaxLines is the maximum number of lines; 0 means 32.
	MaxLines int
	// MaxBytes is the maximum size of the text in bytes; 0 means 4 KiB. A
	// longer single line loses its end.
	MaxBytes int

	mu      sync.Mutex
	text    []byte // the lines in order, forgotten lines first
	ends    []int  // the end of each line in text
	first   int    // index in ends of the oldest remembered line
	from    int    // start of this line in text
	count   int    // lines ever added
	panic   string // the first line of the last panic
	panicAt int    // its number, counted from 1; 0 means none
}

// Lines returns the remembered lines, the oldest first, without their line
// ends. If lines are missing after a panic's first line, a line in between
// gives their number.
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

// compact drops forgotten lines. It runs rarely, so each line or byte pays
// little for the move.
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

// Printable escapes terminal control characters in a line, as strconv.Quote
// does, and keeps tabs and other text.
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
