package logline

// maxDepth limits the nesting inside a line's object. A deeper line is a plain
// line. Logs need less than a tenth of it; the limit fixes the size of the
// scanner's state.
const maxDepth = 1024

// A kind is the type of a JSON value.
type kind uint8

const (
	kindInvalid kind = iota
	kindString
	kindInteger
	kindFraction // a number with a fraction or an exponent
	kindTrue
	kindFalse
	kindNull
	kindNested // an object or an array
)

// A span is a part of the scanned text.
type span struct{ from, to int }

// A field is one member of a line's object, as positions in the line.
type field struct {
	key, value span // a string's span excludes its quotes
	kind       kind
	keyEscaped bool // the key contains escapes
	escaped    bool // a string value contains escapes
	spaced     bool // a nested value has white space between its tokens
}

// A scanner reads a JSON object in one pass, without copies or allocations. It
// accepts exactly the input of encoding/json, up to maxDepth.
type scanner struct {
	data    []byte
	pos     int
	spaced  bool
	objects [maxDepth / 64]uint64 // one bit a nesting level: set for an object
}

// plainByte marks the bytes allowed unescaped in a JSON string.
var plainByte = func() (table [256]bool) {
	for c := ' '; c < 256; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// open starts on data and enters its object; false if data is not an object.
func (s *scanner) open(data []byte) bool {
	s.data, s.pos = data, 0
	s.space()
	return s.take('{')
}

// member reads the object's next member into f. more is false at the end of the
// object; ok is false for invalid text.
func (s *scanner) member(f *field, first bool) (more, ok bool) {
	s.space()
	switch {
	case s.take('}'):
		s.space()
		return false, s.pos == len(s.data)
	case !first && !s.take(','):
		return false, false
	case !first:
		s.space()
	}
	if f.key, f.keyEscaped, ok = s.text(); !ok {
		return false, false
	}
	if s.space(); !s.take(':') {
		return false, false
	}
	s.space()
	return true, s.value(f)
}

// value reads the value at the current position into f.
func (s *scanner) value(f *field) bool {
	f.escaped, f.spaced = false, false
	f.value.from = s.pos
	switch s.peek() {
	case '"':
		var ok bool
		f.kind = kindString
		f.value, f.escaped, ok = s.text()
		return ok
	case '{', '[':
		s.spaced = false
		ok := s.nested()
		f.kind, f.spaced = kindNested, s.spaced
		f.value.to = s.pos
		return ok
	default:
		f.kind = s.scalar()
		f.value.to = s.pos
		return f.kind != kindInvalid
	}
}

// nested skips an object or array, in a loop: a plugin's nesting must not grow
// the stack.
func (s *scanner) nested() bool {
	depth := 0
	for {
		if c := s.peek(); c == '{' || c == '[' {
			if depth == maxDepth {
				return false
			}
			s.pos++
			s.space()
			if !s.take(c + 2) { // the closing bracket of either kind
				s.mark(depth, c == '{')
				depth++
				if c == '{' && !s.name() {
					return false
				}
				continue
			}
		} else if s.scalar() == kindInvalid {
			return false
		}
		var ok bool
		if depth, ok = s.after(depth); !ok || depth == 0 {
			return ok
		}
	}
}

// after skips from the end of a nested value to the start of the next value,
// past closing brackets. It returns the depth there.
func (s *scanner) after(depth int) (int, bool) {
	for depth > 0 {
		inObject := s.marked(depth - 1)
		s.space()
		switch {
		case s.take(','):
			s.space()
			return depth, !inObject || s.name()
		case inObject && s.take('}'), !inObject && s.take(']'):
			depth--
		default:
			return depth, false
		}
	}
	return 0, true
}

// name skips a nested member's key and colon.
func (s *scanner) name() bool {
	if _, _, ok := s.text(); !ok {
		return false
	}
	if s.space(); !s.take(':') {
		return false
	}
	s.space()
	return true
}

// scalar skips a value without nested values.
func (s *scanner) scalar() kind {
	switch s.peek() {
	case '"':
		if _, _, ok := s.text(); !ok {
			return kindInvalid
		}
		return kindString
	case 't':
		return s.literal("true", kindTrue)
	case 'f':
		return s.literal("false", kindFalse)
	case 'n':
		return s.literal("null", kindNull)
	default:
		return s.number()
	}
}

func (s *scanner) literal(text string, k kind) kind {
	if rest := s.data[s.pos:]; len(rest) < len(text) || string(rest[:len(text)]) != text {
		return kindInvalid
	}
	s.pos += len(text)
	return k
}

// number skips a number (RFC 8259 §6).
func (s *scanner) number() kind {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return kindInvalid
	}
	k := kindInteger
	if s.take('.') {
		if k = kindFraction; !s.digits() {
			return kindInvalid
		}
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if k = kindFraction; !s.digits() {
			return kindInvalid
		}
	}
	return k
}

// digits skips one or more digits.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
	}
	return s.pos > from
}

// text skips a string and returns its inside.
func (s *scanner) text() (inside span, escaped, ok bool) {
	data, i := s.data, s.pos
	if i >= len(data) || data[i] != '"' {
		return span{}, false, false
	}
	i++
	inside.from = i
	for i < len(data) {
		switch c := data[i]; {
		case plainByte[c]:
			i++
		case c == '"':
			inside.to = i
			s.pos = i + 1
			return inside, escaped, true
		case c == '\\':
			size := escapeSize(data[i:])
			if size == 0 {
				return span{}, false, false
			}
			escaped = true
			i += size
		default:
			return span{}, false, false
		}
	}
	return span{}, false, false
}

// escapeSize returns the length of the escape at the start of data, or 0 if it
// is invalid.
func escapeSize(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(data[2:]); ok {
			return 6
		}
	}
	return 0
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.spaced = true
			s.pos++
		default:
			return
		}
	}
}

// peek returns the current byte, 0 at the end: no token starts with it.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// take skips c if it is the current byte.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) mark(depth int, object bool) {
	bit := uint64(1) << (depth % 64)
	if object {
		s.objects[depth/64] |= bit
	} else {
		s.objects[depth/64] &^= bit
	}
}

func (s *scanner) marked(depth int) bool {
	return s.objects[depth/64]&(1<<(depth%64)) != 0
}
