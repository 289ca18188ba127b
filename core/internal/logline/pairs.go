package logline

import (
	"bytes"
	"strconv"
)

// parsePairs reads a line of key=value text: logfmt, slog's text, logrus' text. It returns false if
// anything else is in the line. The members before that are read.
func (o *object) parsePairs(line []byte) bool {
	o.reset()
	var f field
	at := 0
	for at < len(line) {
		next, ok := readPair(line, at, &f)
		if !ok {
			break
		}
		o.add(&f, line)
		at = skipBlanks(line, next)
	}
	o.settle(line)
	return at == len(line)
}

// startsPairs reports whether line begins with a key and a "=".
func startsPairs(line []byte) bool {
	size := bareKey(line)
	return size > 0 && size < len(line) && line[size] == '='
}

// trailingPairs reads the key=value pairs at the end of line, after any other text. It returns
// where the pairs begin; len(line) without any. It passes over the line once, whatever it has.
func (o *object) trailingPairs(line []byte, from int) int {
	o.reset()
	var f field
	begin := len(line)
	for at := skipBlanks(line, from); at < len(line); at = skipBlanks(line, at) {
		next, ok := readPair(line, at, &f)
		if !ok {
			begin, o.fields = len(line), o.fields[:0]
			if next = bytes.IndexAny(line[at:], " \t"); next < 0 {
				return begin
			}
			at += next
			continue
		}
		if begin == len(line) {
			begin = at
		}
		o.fields = append(o.fields, f)
		at = next
	}
	return begin
}

func skipBlanks(line []byte, at int) int {
	for at < len(line) && (line[at] == ' ' || line[at] == '\t') {
		at++
	}
	return at
}

// readPair reads the pair at a position into f. It ends before a blank or the line's end.
func readPair(line []byte, at int, f *field) (next int, ok bool) {
	*f = field{kind: kindString}
	if line[at] == '"' {
		f.key, f.keyEscaped, at, ok = readQuoted(line, at)
	} else {
		size := bareKey(line[at:])
		f.key, at, ok = span{at, at + size}, at+size, size > 0
	}
	if !ok || at == len(line) || line[at] != '=' {
		return 0, false
	}
	at++
	switch {
	case at < len(line) && line[at] == '"':
		f.value, f.escaped, at, ok = readQuoted(line, at)
	case at < len(line) && line[at] == '[':
		f.value, at, ok = readList(line, at)
	default:
		size := bytes.IndexAny(line[at:], " \t\"")
		if size < 0 {
			size = len(line) - at
		}
		f.value, at = span{at, at + size}, at+size
	}
	return at, ok && (at == len(line) || line[at] == ' ' || line[at] == '\t')
}

// bareKey returns the length of the key without quotes at the start of text.
func bareKey(text []byte) int {
	for i, c := range text {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c >= 0x80:
		case c == '_', c == '.', c == '-', c == '/', c == '@':
		default:
			return i
		}
	}
	return len(text)
}

// readQuoted reads a string in Go's quotes. A string with escapes keeps its quotes in the span, for
// stringOf.
func readQuoted(line []byte, at int) (inside span, escaped bool, next int, ok bool) {
	for i := at + 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if !escaped {
				return span{at + 1, i}, false, i + 1, true
			}
			_, err := strconv.Unquote(string(line[at : i+1]))
			return span{at, i + 1}, true, i + 1, err == nil
		}
	}
	return span{}, false, 0, false
}

// readList reads a list like hclog's ["a", "b"], without a "=" in it.
func readList(line []byte, at int) (list span, next int, ok bool) {
	for i := at + 1; i < len(line) && line[i] != '='; i++ {
		if line[i] == ']' && (i+1 == len(line) || line[i+1] == ' ') {
			return span{at, i + 1}, i + 1, true
		}
	}
	return span{}, 0, false
}
