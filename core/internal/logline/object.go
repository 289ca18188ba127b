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

// The keys that hclog reserves in a line's object.
const (
	keyLevel     = "@level"
	keyMessage   = "@message"
	keyTimestamp = "@timestamp"
	keyModule    = "@module"
	keyCaller    = "@caller"
)

// A verdict is what reading a line as an object came to.
type verdict uint8

const (
	notObject verdict = iota
	isObject
	isUnwanted // whatever the rest of the line holds, nothing of it is logged
)

// An object is one line read as a JSON object. It is used again for the next
// line, so that reading allocates nothing.
//
// Of a reserved key that comes twice the first counts and the second is an
// attribute like any other. That lets a line end at its level, if nobody wants
// that level.
type object struct {
	scan   scanner
	zones  zones
	fields []field // all members but the reserved ones
	attrs  []slog.Attr

	level     slog.Level // debug unless hasLevel
	hasLevel  bool       // the line has a level that hclog knows
	sawLevel  bool       // the line has a level
	message   field
	timestamp field
}

// maxKeptFields is how many fields' room an object keeps from line to line.
const maxKeptFields = 64

// parse reads line. unwanted tells whether a record of a level, and a plain
// line too, would be thrown away.
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

// reset forgets the last line.
func (o *object) reset() {
	if cap(o.fields) > maxKeptFields {
		o.fields, o.attrs = nil, nil
	}
	o.fields = o.fields[:0]
	o.level, o.hasLevel, o.sawLevel = slog.LevelDebug, false, false
	o.message, o.timestamp = field{}, field{}
}

// reserved takes f if it is the first member of a reserved key.
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

// take puts f into an empty place.
func take(place, f *field) bool {
	if place.kind != kindInvalid {
		return false
	}
	*place = *f
	return true
}

// levelOf returns the level that a member's value names, debug if it names none.
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

// time returns the record's time: now if the line has none (or null), false if
// it has one that cannot be read.
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

// record makes the slog record of the line. All its strings are parts of one
// copy of the line, so that handlers may keep them.
func (o *object) record(line []byte, at time.Time) slog.Record {
	text := string(line)
	record := slog.NewRecord(at, o.level, messageText(&o.message, text), 0)
	o.attrs = o.attrs[:0]
	for i := range o.fields {
		f := &o.fields[i]
		o.attrs = append(o.attrs, slog.Attr{Key: attrKey(stringOf(text, f.key, f.keyEscaped)), Value: valueOf(f, text)})
	}
	record.AddAttrs(o.attrs...)
	// The record has its own copies; what stays here would keep the line alive.
	clear(o.attrs)
	return record
}

// hostKeys are the names under which a host's log has its own facts: those of
// log/slog and of hclog, and the plugin's name.
var hostKeys = []string{
	slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin", keyLevel, keyMessage, keyTimestamp,
}

// attrKey returns the name of a plugin's attribute. A host's name gets a prefix in
// any spelling: many readers take the last of two equal keys, in either case.
func attrKey(key string) string {
	for _, name := range hostKeys {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			return "plugin_" + key
		}
	}
	return key
}

// messageText returns a message that is a string, or the JSON text of any
// other: {"@message":5} says "5".
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

// stringOf returns a string of the line.
func stringOf(text string, s span, escaped bool) string {
	inside := text[s.from:s.to]
	if escaped {
		return unquote(inside)
	}
	return inside
}

// valueOf returns an attribute's value with the type that the line gave it.
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

// integerValue returns an int64, or a uint64 where that is too small, or the
// digits where both are.
func integerValue(raw string) slog.Value {
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return slog.Int64Value(n)
	}
	if n, err := strconv.ParseUint(raw, 10, 64); err == nil {
		return slog.Uint64Value(n)
	}
	return slog.AnyValue(newRawJSON(raw, false))
}

// A rawJSON is an attribute's value that stays JSON: an object, an array, or a
// number that no Go number holds. Text handlers print it as it is, JSON
// handlers put it into their own output.
type rawJSON string

// MarshalJSON makes the value part of a JSON handler's line.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// MarshalText makes the value readable in a text handler's line.
func (r rawJSON) MarshalText() ([]byte, error) { return []byte(r), nil }

// String returns the JSON text.
func (r rawJSON) String() string { return string(r) }

// newRawJSON makes a value of valid JSON text, without the white space between
// its tokens (spaced says that there is some) and as valid UTF-8, which a JSON
// handler needs to keep its own line valid.
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
