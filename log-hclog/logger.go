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

// NameKey is the attribute that carries a logger's name. Names of loggers made
// of loggers are joined with dots.
const NameKey = "@module"

// LoggerOptions is how a logger of NewLogger begins. The zero value is a logger
// without a name that writes all that its handler wants.
type LoggerOptions struct {
	// Name is the logger's name; "" is none, and no [NameKey] is written.
	Name string
	// Level is the lowest level that reaches the handler, which may want less.
	// hclog.NoLevel, the zero value, leaves the choice to the handler.
	Level hclog.Level
	// IndependentLevels gives each logger made from this one a level of its own,
	// which begins as its parent's. Otherwise they share one, as in hclog.
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

// NewLogger returns an hclog.Logger that writes to handler; nil throws
// everything away.
//
// The records carry the place of the logging call, for handlers with AddSource.
// hclog.Fmt, Hex, Octal and Binary values become the text that they stand for,
// a Quote its text, since handlers quote what needs it. Values with a String
// method become that text, unless they are errors or know how to be logged or
// marshalled. A last argument without a partner gets the key hclog.MissingKey,
// or "stacktrace" if it is an hclog.Stacktrace.
//
// SetLevel may be called at any time and holds for all loggers made from this
// one and from its parents (unless LoggerOptions says otherwise); with
// hclog.NoLevel the handler alone decides again. GetLevel returns the lowest
// level that is written, by the handler's word too.
func NewLogger(handler slog.Handler, opts LoggerOptions) hclog.Logger {
	if handler == nil {
		handler = slog.DiscardHandler
	}
	l := &logger{base: handler, name: opts.Name, level: new(slog.LevelVar), independent: opts.IndependentLevels}
	l.SetLevel(opts.Level)
	l.derive()
	return l
}

// derive makes the handler for the logger's name and arguments. It starts from
// the base, since what a handler was given cannot be taken back.
func (l *logger) derive() {
	l.handler = l.base
	if l.name != "" {
		l.handler = l.handler.WithAttrs([]slog.Attr{slog.String(NameKey, l.name)})
	}
	if len(l.implied) > 0 {
		l.handler = l.handler.WithAttrs(attrsOf(l.implied))
	}
}

// child returns a copy to be changed into another logger.
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

// Callers that a log call's own place lies behind: runtime.Callers, write and
// the exported method.
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

// writeAt logs a record whose level is known to be enabled. hclog has nobody to
// tell a handler's error to.
func (l *logger) writeAt(pc uintptr, level slog.Level, message string, args []any) {
	record := slog.NewRecord(time.Now(), level, message, pc)
	record.AddAttrs(attrsOf(args)...)
	_ = l.handler.Handle(context.Background(), record)
}

// Log logs at a level; at hclog.NoLevel it logs at info, at hclog.Off nothing.
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

// ImpliedArgs returns the arguments that each record gets.
func (l *logger) ImpliedArgs() []any { return slices.Clone(l.implied) }

// With returns a logger whose records have args too. An argument with the key
// of an earlier one takes its place.
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

// Named returns a logger with name behind this one's name.
func (l *logger) Named(name string) hclog.Logger { return l.ResetNamed(joinNames(l.name, name)) }

// ResetNamed returns a logger with that name.
func (l *logger) ResetNamed(name string) hclog.Logger {
	c := l.child()
	c.name = name
	c.derive()
	return c
}

// SetLevel sets the lowest level that reaches the handler.
func (l *logger) SetLevel(level hclog.Level) {
	if level == hclog.NoLevel {
		l.level.Set(math.MinInt)
		return
	}
	l.level.Set(SlogLevel(level))
}

// GetLevel returns the lowest level that is written.
func (l *logger) GetLevel() hclog.Level {
	for level := hclog.Trace; level < hclog.Off; level++ {
		if l.enabled(SlogLevel(level)) {
			return level
		}
	}
	return hclog.Off
}

// joinNames puts a name behind another one, if there is one.
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
