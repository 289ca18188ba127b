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

// An object is one line read as a JSON object. It is reused for the next line,
// so reading allocates nothing.
//
// If a reserved key comes twice, the first counts and the second is an ordinary
// attribute. Reading can thus end at the level if the logger drops that level.
type object struct {
	scan   scanner
	zones  zones
	fields []field // all members except reserved ones
	attrs  []slog.Attr

	level     slog.Level // debug unless hasLevel
	hasLevel  bool       // the level is known to hclog
	sawLevel  bool       // the line has a level
	message   field
	timestamp field
}

// maxKeptFields is the number of fields of capacity kept between lines.
const maxKeptFields = 64

// parse reads line. unwanted reports whether records of a level, and plain
// lines, are dropped.
func (o *object) parse(line []byte, unwanted func(slog.Level) bool) verdict {
	o.reset()
	if !o.scan.open(line) {
		return notObject
	}
	var f field
	for first := true; ; first = false {
		more, ok := o.scan.member(&f, first)
		if !ok {
			return notObject
		}
		if !more {
			return isObject
		}
		leveled := o.sawLevel
		if !o.reserved(&f, line) {
			o.fields = append(o.fields, f)
		}
		if o.sawLevel != leveled && unwanted(o.level) {
			return isUnwanted
		}
	}
}

// reset clears the previous line.
func (o *object) reset() {
	if cap(o.fields) > maxKeptFields {
		o.fields, o.attrs = nil, nil
	}
	o.fields = o.fields[:0]
	o.level, o.hasLevel, o.sawLevel = slog.LevelDebug, false, false
	o.message, o.timestamp = field{}, field{}
}

// reserved stores f if it is the first member with a reserved key.
func (o *object) reserved(f *field, line []byte) bool {
	key := line[f.key.from:f.key.to]
	if f.keyEscaped {
		key = []byte(unquote(string(key)))
	}
	if len(key) == 0 || key[0] != '@' {
		return false
	}
	switch string(key) {
	case keyLevel:
		if o.sawLevel {
			return false
		}
		o.level, o.hasLevel = levelOf(f, line)
		o.sawLevel = true
		return true
	case keyMessage:
		return take(&o.message, f)
	case keyTimestamp:
		return take(&o.timestamp, f)
	}
	return false
}

// take stores f if place is empty.
func take(place, f *field) bool {
	if place.kind != kindInvalid {
		return false
	}
	*place = *f
	return true
}

// levelOf returns the level in a member's value, or debug for unknown levels.
func levelOf(f *field, line []byte) (slog.Level, bool) {
	if f.kind != kindString {
		return slog.LevelDebug, false
	}
	name := line[f.value.from:f.value.to]
	if f.escaped {
		name = []byte(unquote(string(name)))
	}
	return levelNamed(name)
}

// time returns the record's time, or now if the line has none (or null). It
// returns false if the time is unreadable.
func (o *object) time(line []byte) (time.Time, bool) {
	switch o.timestamp.kind {
	case kindInvalid, kindNull:
		return time.Now(), true
	case kindString:
		text := string(line[o.timestamp.value.from:o.timestamp.value.to])
		if o.timestamp.escaped {
			text = unquote(text)
		}
		return parseTime(text, &o.zones)
	default:
		return time.Time{}, false
	}
}

// record returns the slog record of the line. All its strings share one copy of
// the line, so handlers may keep them.
func (o *object) record(line []byte, at time.Time) slog.Record {
	text := string(line)
	record := slog.NewRecord(at, o.level, messageText(&o.message, text), 0)
	o.attrs = o.attrs[:0]
	for i := range o.fields {
		f := &o.fields[i]
		o.attrs = append(o.attrs, slog.Attr{Key: attrKey(stringOf(text, f.key, f.keyEscaped)), Value: valueOf(f, text)})
	}
	record.AddAttrs(o.attrs...)
	// The record has its own copies; stale attributes would keep the line alive.
	clear(o.attrs)
	return record
}

// hostKeys are reserved for the host's own facts: the keys of log/slog and of
// hclog, and the plugin's name.
var hostKeys = []string{
	slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin", keyLevel, keyMessage, keyTimestamp,
}

// attrKey returns the name of a plugin's attribute. Host names get a prefix in any spelling,
// because many readers take the last of two equal keys, in either case.
func attrKey(key string) string {
	for _, name := range hostKeys {
		if len(key) == len(name) && strings.EqualFold(key, name) {
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

// stringOf returns a string in the line.
func stringOf(text string, s span, escaped bool) string {
	inside := text[s.from:s.to]
	if escaped {
		return unquote(inside)
	}
	return inside
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
