package logline

import (
	"bytes"
	"log/slog"
	"time"
)

// A prefix is everything that a logger puts in front of a plain line's message, in any order:
//
//	2006/01/02 15:04:05 main.go:23: text               package log, by its flags
//	2006/01/02 15:04:05 WARN text key=value            slog.Default
//	2006-01-02T15:04:05.000Z [WARN]  name: text: key=value   hclog
//	[WARN] text
//	WARNING:name:text                                  Python
//	2006-01-02 15:04:05,000 - name - WARNING - text    Python
//	2006-01-02 15:04:05,000 WARNING text               many
//	WARNING: text                                      many
//
// Only a date with a time, a source position or a level makes a prefix. Any other line is a
// message as it stands.
type prefix struct {
	level   slog.Level
	leveled bool
	exact   bool // the level says all that its word says
	pairs   pairing
	stamp   stamp

	clock, word, source, name []byte // the texts of stamp and level, and of others; nil without
	rest                      []byte // the message, with its pairs
}

// A pairing is how key=value pairs follow a message.
type pairing uint8

const (
	noPairs    pairing = iota
	afterColon         // hclog: "text: key=value"
	afterBlank         // slog.Default: "text key=value"
)

// readPrefix reads the prefix of a plain line.
func readPrefix(line []byte) prefix {
	p := prefix{rest: line}
	for len(p.rest) > 0 && (p.cutTime() || p.cutSource() || p.cutLevel()) {
		p.rest = bytes.TrimLeft(p.rest, " \t")
	}
	if !p.leveled && p.source == nil && !p.stamp.full {
		return prefix{rest: line}
	}
	return p
}

// bare reports whether the prefix is a level and nothing else.
func (p *prefix) bare() bool {
	return p.stamp.size == 0 && p.source == nil && p.name == nil && p.exact
}

// cutTime takes a stamp, also in brackets. Behind a level only package log's date is a stamp, for
// a logger whose prefix is a level.
func (p *prefix) cutTime() bool {
	text, closing := p.rest, 0
	if text[0] == '[' {
		text, closing = text[1:], 1
	}
	if p.stamp.size > 0 || len(text) == 0 || text[0]-'0' > 9 {
		return false
	}
	s := readStamp(text)
	rest := text[s.size:]
	if closing > 0 {
		if !s.full || len(rest) == 0 || rest[0] != ']' {
			return false
		}
		rest = rest[1:]
	}
	if s.size == 0 || len(rest) > 0 && !isBlank(rest[0]) || p.leveled && !(s.slashes && s.full) {
		return false
	}
	p.stamp, p.clock, p.rest = s, text[:s.size], rest
	return true
}

// cutSource takes a Go file and its line, as package log and hclog write them.
func (p *prefix) cutSource() bool {
	token, _, _ := bytes.Cut(p.rest, []byte{' '})
	place, ok := bytes.CutSuffix(token, []byte{':'})
	if !ok || p.source != nil {
		return false
	}
	digits := bytes.TrimRight(place, "0123456789")
	if len(digits) == len(place) || !bytes.HasSuffix(digits, []byte(".go:")) {
		return false
	}
	p.source, p.rest = place, p.rest[len(token):]
	return true
}

// cutLevel takes a level in one of its forms.
func (p *prefix) cutLevel() bool {
	switch {
	case p.leveled:
		return false
	case p.rest[0] == '[':
		return p.cutBracketed()
	case p.rest[0] == '-':
		return p.cutDashed()
	}
	return p.cutWord()
}

// cutWord takes "WARNING: " and "WARNING:name:", and after a stamp "WARNING ".
func (p *prefix) cutWord() bool {
	size := wordSize(p.rest)
	word, rest := p.rest[:size], p.rest[size:]
	switch {
	case size == 0 || len(rest) == 0:
		return false
	case isBlank(rest[0]):
		pairs := noPairs
		if p.stamp.slashes && p.stamp.full {
			pairs = afterBlank
		}
		return p.stamp.size > 0 && p.take(word, rest[1:], true, pairs)
	case rest[0] != ':':
		return false
	case len(rest) == 1 || isBlank(rest[1]):
		return p.take(word, rest[1:], true, noPairs)
	}
	name, text, ok := bytes.Cut(rest[1:], []byte{':'})
	if !ok || bareKey(name) < len(name) || !p.take(word, text, true, noPairs) {
		return false
	}
	p.name = name
	return true
}

// cutBracketed takes "[WARN]", and after a stamp "[warn]", too.
func (p *prefix) cutBracketed() bool {
	end := bytes.IndexByte(p.rest[:min(len(p.rest), longestWord+2)], ']')
	return end > 0 && p.take(bytes.TrimSpace(p.rest[1:end]), p.rest[end+1:], p.stamp.size == 0, afterColon)
}

// cutDashed takes "- WARNING - " and "- name - WARNING - " after a stamp.
func (p *prefix) cutDashed() bool {
	separator := []byte(" - ")
	text, ok := bytes.CutPrefix(p.rest, separator[1:])
	first, rest, found := bytes.Cut(text, separator)
	if !ok || !found || !p.stamp.full {
		return false
	}
	if p.take(first, rest, true, noPairs) {
		return true
	}
	word, rest, found := bytes.Cut(rest, separator)
	if !found || bareKey(first) < len(first) || !p.take(bytes.TrimSpace(word), rest, true, noPairs) {
		return false
	}
	p.name = first
	return true
}

// take accepts a level's word, with the text behind it. With capitals, it takes no other letters.
func (p *prefix) take(word, rest []byte, capitals bool, pairs pairing) bool {
	level, exact, ok := levelWord(word)
	if !ok || word[0]-'0' <= 9 || capitals && !bytes.Equal(bytes.ToUpper(word), word) {
		return false
	}
	p.level, p.leveled, p.exact = level, true, exact
	p.word, p.rest, p.pairs = word, rest, pairs
	return true
}

// wordSize returns the length of the level's word that text may begin with.
func wordSize(text []byte) int {
	for i, c := range text {
		if ('A' > c || c > 'Z') && c != '+' && c != '-' && (c < '0' || c > '9') || i > longestWord {
			return i
		}
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// An extra is an attribute of a prefix.
type extra struct {
	key   string
	value []byte
}

// parsePrefixed reads a line with a prefix, and the pairs after its message. It returns the
// record's time.
func (o *object) parsePrefixed(line []byte, p *prefix) time.Time {
	o.reset()
	from := len(line) - len(p.rest)
	o.message = field{kind: kindString, value: span{from, o.messageEnd(line, from, p.pairs)}}
	now := time.Now()
	at, ok := p.stamp.time(now)
	if !ok || !p.leveled && !isNear(at, now) {
		at = now
		o.note(slog.TimeKey, p.clock)
	}
	if !p.exact {
		o.note(slog.LevelKey, p.word)
	}
	o.note(slog.SourceKey, p.source)
	o.note("logger", p.name)
	return at
}

// messageEnd returns the end of a message, and reads the pairs behind it.
func (o *object) messageEnd(line []byte, from int, pairs pairing) int {
	if pairs == noPairs || bytes.IndexByte(line[from:], '=') < 0 {
		return len(line)
	}
	begin := o.trailingPairs(line, from)
	message := bytes.TrimRight(line[from:begin], " \t")
	switch {
	case begin == len(line):
		return begin
	case pairs == afterBlank:
		return from + len(message)
	case bytes.HasSuffix(message, []byte{':'}):
		return from + len(message) - 1
	}
	o.fields = o.fields[:0]
	return len(line)
}

func (o *object) note(key string, value []byte) {
	if len(value) > 0 {
		o.extras = append(o.extras, extra{key, value})
	}
}
