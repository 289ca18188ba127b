package logline

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The keys reserved by hclog in a line's object.
const (
	keyLevel     = "@level"
	keyMessage   = "@message"
	keyTimestamp = "@timestamp"
	keyModule    = "@module"
	keyCaller    = "@caller"
)

// A verdict is the result of reading a line as an object.
type verdict uint8

const (
	notObject verdict = iota
	isObject
	isUnwanted // nothing of the line is logged, whatever follows
)

// An object is one line read into its members. It is reused for the next line,
// so reading allocates nothing.
//
// If a key with a meaning comes twice, the first counts and the second is an ordinary
// attribute. Reading can thus end at hclog's level if the logger drops that level.
type object struct {
	scan   scanner
	zones  zones
	fields []field
	index  [keyCount]int32 // of the first member with the key in fields, from 1; 0 means none
	extras []extra         // of a plain line
	attrs  []slog.Attr

	level     slog.Level
	leveled   bool    // the level is known
	exact     bool    // the level says all that its member says
	whole     bool    // the line is no record: it is its own message
	leading   dialect // its members are not attributes
	message   field
	timestamp field
}

// maxKeptFields is the number of fields of capacity kept between lines.
const maxKeptFields = 64

// parse reads line as JSON. unwanted reports whether lines of a level are
// dropped. Of a broken object, the members before the break are read.
func (o *object) parse(line []byte, unwanted func(slog.Level) bool) verdict {
	o.reset()
	if !o.scan.open(line) {
		return notObject
	}
	var f field
	for first := true; ; first = false {
		more, ok := o.scan.member(&f, first)
		if !ok || !more {
			o.settle(line)
			if !ok {
				return notObject
			}
			return isObject
		}
		if o.add(&f, line) != atLevel {
			continue
		}
		if o.level, o.leveled = hclogLevel(&f, line); unwanted(o.level) {
			return isUnwanted
		}
	}
}

// reset clears the previous line.
func (o *object) reset() {
	if cap(o.fields) > maxKeptFields {
		o.fields, o.attrs = nil, nil
	}
	o.fields, o.extras = o.fields[:0], o.extras[:0]
	clear(o.index[:])
	o.level, o.leveled, o.exact, o.whole = 0, false, false, false
	o.leading, o.message, o.timestamp = dialect{}, field{}, field{}
}

// add keeps a member. It returns its key if it has a meaning and is the first with it.
func (o *object) add(f *field, line []byte) key {
	o.fields = append(o.fields, *f)
	name := line[f.key.from:f.key.to]
	if f.keyEscaped {
		name = []byte(stringOf(string(name), span{0, len(name)}, true))
	}
	k := keyNamed(name)
	if k == otherKey || o.index[k] > 0 {
		return otherKey
	}
	o.index[k] = int32(len(o.fields)) // a line has fewer than 2 GiB
	return k
}

// hclogLevel returns the level in a member's value, or debug for unknown levels.
func hclogLevel(f *field, line []byte) (slog.Level, bool) {
	if f.kind != kindString {
		return slog.LevelDebug, false
	}
	name := line[f.value.from:f.value.to]
	if f.escaped {
		name = []byte(stringOf(string(name), span{0, len(name)}, true))
	}
	return levelNamed(name)
}

// levelOr returns the line's level, or another one if it has none. An unknown level of hclog's is
// debug.
func (o *object) levelOr(plain slog.Level) slog.Level {
	if o.leveled || o.index[atLevel] > 0 {
		return o.level
	}
	return plain
}

// time returns the record's time, or now if the line has none (or null). It returns false if
// hclog's time is unreadable; another logger's then stays an attribute.
func (o *object) time(line []byte) (time.Time, bool) {
	if o.timestamp.kind == kindInvalid || o.timestamp.kind == kindNull {
		return time.Now(), true
	}
	value := string(line[o.timestamp.value.from:o.timestamp.value.to])
	text := o.timestamp.kind == kindString
	if text {
		value = stringOf(value, span{0, len(value)}, o.timestamp.escaped)
		if at, ok := parseTime(value, &o.zones); ok {
			return at, true
		}
	}
	now := time.Now()
	if o.leading.level == atLevel {
		return now, false
	}
	if at, ok := looseTime(value, text, now); ok {
		return at, true
	}
	o.leading.time = otherKey
	return now, true
}

// looseTime reads the time of a logger that is not hclog: text or a number.
func looseTime(value string, text bool, now time.Time) (time.Time, bool) {
	if !text {
		return epochTime(value)
	}
	s := readStamp([]byte(value))
	at, ok := s.time(now)
	return at, ok && s.size == len(value)
}

// leads returns the indexes in fields of the members that are the record's level, message and time;
// -1 for none.
func (o *object) leads() (level, message, at int) {
	if level = -1; o.exact {
		level = int(o.index[o.leading.level]) - 1
	}
	return level, int(o.index[o.leading.message]) - 1, int(o.index[o.leading.time]) - 1
}

// record returns the slog record of the line. All its strings share one copy of
// the line, so handlers may keep them.
func (o *object) record(line []byte, at time.Time) slog.Record {
	text := string(line)
	record := slog.NewRecord(at, o.level, messageText(&o.message, text), 0)
	o.attrs = o.attrs[:0]
	for _, e := range o.extras {
		o.attrs = append(o.attrs, slog.String(attrKey(e.key), string(e.value)))
	}
	leadingLevel, message, leadingTime := o.leads()
	for i := range o.fields {
		if i == leadingLevel || i == message || i == leadingTime {
			continue
		}
		f := &o.fields[i]
		o.attrs = append(o.attrs, slog.Attr{Key: attrKey(stringOf(text, f.key, f.keyEscaped)), Value: valueOf(f, text)})
	}
	record.AddAttrs(o.attrs...)
	// The record has its own copies; stale attributes would keep the line alive.
	clear(o.attrs)
	return record
}

// hostKeys are reserved for the host's own facts: the keys of log/slog and of
// hclog, and the plugin's name and path.
var hostKeys = []string{
	slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin", "plugin_path", keyLevel, keyMessage, keyTimestamp,
}

// attrKey returns the name of a plugin's attribute. Host names get a prefix in any spelling,
// because many readers take the last of two equal keys, in either case. Letters beyond ASCII can
// fold too, as encoding/json does it, so a spelling may be longer than the name.
func attrKey(key string) string {
	for _, name := range hostKeys {
		if len(key) >= len(name) && strings.EqualFold(key, name) {
			return "plugin_" + key
		}
	}
	return key
}

// messageText returns a string message, or the JSON text of any other:
// {"@message":5} gives "5".
func messageText(f *field, text string) string {
	switch f.kind {
	case kindInvalid, kindNull:
		return ""
	case kindString:
		return stringOf(text, f.value, f.escaped)
	default:
		return text[f.value.from:f.value.to]
	}
}

// stringOf returns a string in the line. An escaped one of key=value text has its quotes, which
// JSON's cannot begin with.
func stringOf(text string, s span, escaped bool) string {
	inside := text[s.from:s.to]
	if !escaped {
		return inside
	}
	if inside[0] == '"' {
		if unquoted, err := strconv.Unquote(inside); err == nil {
			return unquoted
		}
	}
	return unquote(inside)
}

// valueOf returns an attribute's value with its type in the line.
func valueOf(f *field, text string) slog.Value {
	raw := text[f.value.from:f.value.to]
	switch f.kind {
	case kindString:
		return slog.StringValue(stringOf(text, f.value, f.escaped))
	case kindInteger:
		return integerValue(raw)
	case kindFraction:
		if x, err := strconv.ParseFloat(raw, 64); err == nil {
			return slog.Float64Value(x)
		}
	case kindTrue, kindFalse:
		return slog.BoolValue(f.kind == kindTrue)
	case kindNull:
		return slog.AnyValue(nil)
	default:
	}
	return slog.AnyValue(newRawJSON(raw, f.spaced))
}

// integerValue returns an int64, a uint64 for larger numbers, or the digits of
// numbers too large for both.
func integerValue(raw string) slog.Value {
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return slog.Int64Value(n)
	}
	if n, err := strconv.ParseUint(raw, 10, 64); err == nil {
		return slog.Uint64Value(n)
	}
	return slog.AnyValue(newRawJSON(raw, false))
}

// A rawJSON is an attribute's value kept as JSON: an object, an array, or a
// number beyond Go's types. Text handlers print it unchanged; JSON handlers
// embed it.
type rawJSON string

// MarshalJSON embeds the value in a JSON handler's line.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// MarshalText makes the value readable in a text handler's line.
func (r rawJSON) MarshalText() ([]byte, error) { return []byte(r), nil }

// String returns the JSON text.
func (r rawJSON) String() string { return string(r) }

// newRawJSON converts valid JSON text to valid UTF-8, so that a JSON handler's
// line stays valid. If spaced is set, it removes white space between the
// tokens.
func newRawJSON(text string, spaced bool) rawJSON {
	if spaced {
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err == nil {
			text = compact.String()
		}
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	return rawJSON(text)
}
