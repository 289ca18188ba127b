package logline

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
)

// Readable returns a line of a plugin's stderr for a person: of a record the level, the message and
// the attributes, as in `ERROR cannot open settings err="permission denied"`. The time, the source
// position and the logger's name are left out. Any other line is returned as it is. The caller
// escapes the text with [Printable].
func Readable(line string) string {
	if IsDeathHeading(line) { // its level is the host's guess
		return line
	}
	var r reading
	p := newPump(Config{Logger: slog.New(&r), PlainLevel: unnamedLevel, PanicDelay: -1})
	p.line([]byte(line))
	if r.text == "" {
		return line
	}
	return r.text
}

// unnamedLevel is the level of a line that names none.
const unnamedLevel = slog.Level(math.MinInt)

// A reading is the handler of a line's only record.
type reading struct{ text string }

func (r *reading) Enabled(context.Context, slog.Level) bool { return true }
func (r *reading) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *reading) WithGroup(string) slog.Handler            { return r }

// Handle keeps the record's text.
func (r *reading) Handle(ctx context.Context, record slog.Record) error {
	level := ""
	switch {
	case record.Level == unnamedLevel:
	case record.Level < slog.LevelDebug:
		level = "TRACE"
	default:
		level = record.Level.String()
	}
	pairs := slog.NewRecord(record.Time, record.Level, "", 0)
	record.Attrs(func(attr slog.Attr) bool {
		switch attr.Key {
		case "plugin_level":
			level = strings.ToUpper(attr.Value.String())
		case "plugin_time", "plugin_source", keyCaller, keyModule, "logger":
		default:
			pairs.AddAttrs(attr)
		}
		return true
	})
	var text bytes.Buffer
	_ = slog.NewTextHandler(&text, &slog.HandlerOptions{Level: unnamedLevel, ReplaceAttr: withoutLeads}).Handle(ctx, pairs)
	parts := []string{level, record.Message, strings.TrimSuffix(text.String(), "\n")}
	r.text = parts[0]
	for _, part := range parts[1:] {
		if part != "" && r.text != "" {
			r.text += " "
		}
		r.text += part
	}
	return nil
}

// withoutLeads removes a record's own members; a plugin's have other keys.
func withoutLeads(_ []string, attr slog.Attr) slog.Attr {
	switch attr.Key {
	case slog.TimeKey, slog.LevelKey, slog.MessageKey:
		return slog.Attr{}
	}
	return attr
}
