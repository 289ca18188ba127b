package loghclog

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
)

// NameKey is the key of the attribute with a logger's name. Dots join the name of a logger
// to its parent's.
const NameKey = "@module"

// LoggerOptions configures NewLogger. The zero value is a logger without a name, at the
// level of its handler.
type LoggerOptions struct {
	// Name is the logger's name. With "" the logger writes no [NameKey].
	Name string
	// Level is the lowest level passed to the handler; the handler may be stricter. The
	// zero value, hclog.NoLevel, leaves the choice to the handler.
	Level hclog.Level
	// IndependentLevels gives each derived logger its own level, which starts as its
	// parent's. Otherwise derived loggers share their parent's level, as in hclog.
	IndependentLevels bool
}

// A logger is an hclog.Logger on top of a slog.Handler.
type logger struct {
	base        slog.Handler // without name and arguments
	handler     slog.Handler // with both
	name        string
	implied     []any
	level       *slog.LevelVar
	independent bool
}

// NewLogger returns an hclog.Logger that writes to handler. A nil handler is that of
// [slog.Default], and [slog.DiscardHandler] discards everything.
//
// Records carry the source location of the logging call, for handlers with AddSource.
// hclog.Fmt, Hex, Octal and Binary values become their formatted text. A Quote becomes its
// plain text, because handlers quote where necessary. A value with a String method becomes
// that text, unless it is an error or implements a logging or marshalling interface. A last
// argument without a partner gets the key hclog.MissingKey, or "stacktrace" if it is an
// hclog.Stacktrace.
//
// SetLevel may be called at any time. It applies to all loggers derived from this one and
// to its parents, unless IndependentLevels is set. With hclog.NoLevel the handler alone
// decides again. GetLevel returns the lowest written level, including the handler's
// restrictions.
func NewLogger(handler slog.Handler, opts LoggerOptions) hclog.Logger {
	if handler == nil {
		handler = slog.Default().Handler()
	}
	l := &logger{base: handler, name: opts.Name, level: new(slog.LevelVar), independent: opts.IndependentLevels}
	l.SetLevel(opts.Level)
	l.derive()
	return l
}

// derive builds the handler with the logger's name and arguments. It starts from the base,
// because slog cannot remove attributes from a handler.
func (l *logger) derive() {
	l.handler = l.base
	if l.name != "" {
		l.handler = l.handler.WithAttrs([]slog.Attr{slog.String(NameKey, l.name)})
	}
	if len(l.implied) > 0 {
		l.handler = l.handler.WithAttrs(attrsOf(l.implied))
	}
}

// child returns a copy for a derived logger to modify.
func (l *logger) child() *logger {
	c := *l
	if l.independent {
		c.level = new(slog.LevelVar)
		c.level.Set(l.level.Level())
	}
	return &c
}

func (l *logger) enabled(level slog.Level) bool {
	return level >= l.level.Level() && l.handler.Enabled(context.Background(), level)
}

// ownFrames is the number of frames above the logging call: runtime.Callers, write and the
// exported method.
const ownFrames = 3

// write logs a record at the place of the exported method's caller.
func (l *logger) write(level slog.Level, message string, args []any) {
	if !l.enabled(level) {
		return
	}
	var pcs [1]uintptr
	runtime.Callers(ownFrames, pcs[:])
	l.writeAt(pcs[0], level, message, args)
}

// writeAt logs a record at an enabled level. It drops the handler's error, because hclog's
// methods return none.
func (l *logger) writeAt(pc uintptr, level slog.Level, message string, args []any) {
	record := slog.NewRecord(time.Now(), level, message, pc)
	record.AddAttrs(attrsOf(args)...)
	_ = l.handler.Handle(context.Background(), record)
}

// Log logs at a level. hclog.NoLevel means info; hclog.Off logs nothing.
func (l *logger) Log(level hclog.Level, message string, args ...any) {
	if level != hclog.Off {
		l.write(SlogLevel(level), message, args)
	}
}

func (l *logger) Trace(message string, args ...any) { l.write(LevelTrace, message, args) }
func (l *logger) Debug(message string, args ...any) { l.write(slog.LevelDebug, message, args) }
func (l *logger) Info(message string, args ...any)  { l.write(slog.LevelInfo, message, args) }
func (l *logger) Warn(message string, args ...any)  { l.write(slog.LevelWarn, message, args) }
func (l *logger) Error(message string, args ...any) { l.write(slog.LevelError, message, args) }

func (l *logger) IsTrace() bool { return l.enabled(LevelTrace) }
func (l *logger) IsDebug() bool { return l.enabled(slog.LevelDebug) }
func (l *logger) IsInfo() bool  { return l.enabled(slog.LevelInfo) }
func (l *logger) IsWarn() bool  { return l.enabled(slog.LevelWarn) }
func (l *logger) IsError() bool { return l.enabled(slog.LevelError) }

// ImpliedArgs returns the arguments of every record.
func (l *logger) ImpliedArgs() []any { return slices.Clone(l.implied) }

// With returns a logger with args in every record. An argument replaces an earlier one with
// the same key.
func (l *logger) With(args ...any) hclog.Logger {
	if len(args) == 0 {
		return l
	}
	c := l.child()
	c.implied = merged(l.implied, args)
	c.derive()
	return c
}

// Name returns the logger's name.
func (l *logger) Name() string { return l.name }

// Named returns a logger with name appended to this logger's name.
func (l *logger) Named(name string) hclog.Logger { return l.ResetNamed(joinNames(l.name, name)) }

// ResetNamed returns a logger with name in place of this logger's name.
func (l *logger) ResetNamed(name string) hclog.Logger {
	c := l.child()
	c.name = name
	c.derive()
	return c
}

// SetLevel sets the lowest level passed to the handler.
func (l *logger) SetLevel(level hclog.Level) {
	if level == hclog.NoLevel {
		l.level.Set(math.MinInt)
		return
	}
	l.level.Set(SlogLevel(level))
}

// GetLevel returns the lowest written level.
func (l *logger) GetLevel() hclog.Level {
	for level := hclog.Trace; level < hclog.Off; level++ {
		if l.enabled(SlogLevel(level)) {
			return level
		}
	}
	return hclog.Off
}

// joinNames appends name to parent, with a dot if parent is not empty.
func joinNames(parent, name string) string {
	switch {
	case parent == "":
		return name
	case name == "":
		return parent
	default:
		return parent + "." + name
	}
}
