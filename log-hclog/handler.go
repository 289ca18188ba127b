package loghclog

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
)

// CallerKey is the key of the argument that carries the source location of a logging call,
// if HandlerOptions.AddSource is set. hclog writes locations as JSON under the same key.
const CallerKey = "@caller"

// TimestampKey is the key of the argument with the time of a record from another process. A host
// built on hashicorp/go-plugin logs a plugin's time under this key, as hclog.TimeFormat.
const TimestampKey = "timestamp"

// HandlerOptions selects the data that a handler of NewHandler passes on beside messages
// and attributes. The zero value adds only [TimestampKey].
type HandlerOptions struct {
	// TimeKey is the key of the argument that carries each record's time: hclog.Logger
	// accepts none and writes the current time. With "" only records from another process
	// have the argument, [TimestampKey]: a plugin's records with a time of their own.
	TimeKey string
	// AddSource passes on the source location of the logging call as [CallerKey]. hclog's
	// own IncludeLocation would show a location in package slog.
	AddSource bool
}

// NewHandler returns a slog.Handler that writes to log. A nil log is hclog's default logger,
// and hclog.NewNullLogger discards everything. The handler asks log at each record whether a
// level is enabled.
//
// Attributes become arguments. Those in groups get the groups' names and dots as a prefix.
// [NameKey], outside any group and with a text value, extends log's name. Values go to
// hclog unchanged, after their LogValue methods are resolved.
func NewHandler(log hclog.Logger, opts HandlerOptions) slog.Handler {
	switch l := log.(type) {
	case nil:
		log = hclog.L()
	case *logger:
		return &direct{Handler: l.handler, level: l.level}
	}
	return &handler{log: log, opts: opts, name: log.Name()}
}

// A direct is the slog.Handler below a logger of this package, with the logger's level.
type direct struct {
	slog.Handler

	level *slog.LevelVar
}

func (d *direct) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= d.level.Level() && d.Handler.Enabled(ctx, level)
}

func (d *direct) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &direct{Handler: d.Handler.WithAttrs(attrs), level: d.level}
}

func (d *direct) WithGroup(name string) slog.Handler {
	return &direct{Handler: d.Handler.WithGroup(name), level: d.level}
}

// A handler is a slog.Handler on top of an hclog.Logger.
type handler struct {
	log    hclog.Logger // with the added name and arguments
	opts   HandlerOptions
	name   string // of the logger given to NewHandler
	prefix string // of the open groups, with the last dot
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	switch HclogLevel(level) {
	case hclog.Trace:
		return h.log.IsTrace()
	case hclog.Debug:
		return h.log.IsDebug()
	case hclog.Info:
		return h.log.IsInfo()
	case hclog.Warn:
		return h.log.IsWarn()
	case hclog.Error:
		return h.log.IsError()
	default:
		return false
	}
}

// Handle logs a record. It never fails: hclog does not report failures.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	// Each attribute takes two arguments; the time and the location take four.
	args := arguments{handler: h, list: make([]any, 0, 2*record.NumAttrs()+4)}
	switch {
	case record.Time.IsZero():
	case h.opts.TimeKey != "":
		args.list = append(args.list, h.opts.TimeKey, record.Time.Round(0))
	case isForeign(record.Time):
		args.list = append(args.list, TimestampKey, record.Time.Format(hclog.TimeFormat))
	}
	if place := placeOf(record.PC); h.opts.AddSource && place != "" {
		args.list = append(args.list, CallerKey, place)
	}
	record.Attrs(func(attr slog.Attr) bool {
		args.add(h.prefix, attr)
		return true
	})
	args.named(h.log).Log(HclogLevel(record.Level), record.Message, args.list...)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	args := arguments{handler: h}
	for _, attr := range attrs {
		args.add(h.prefix, attr)
	}
	derived := *h
	derived.log = args.named(h.log)
	if len(args.list) > 0 {
		derived.log = derived.log.With(args.list...)
	}
	return &derived
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	derived := *h
	derived.prefix += name + "."
	return &derived
}

// arguments collects attributes in hclog's form.
type arguments struct {
	handler *handler
	list    []any
	name    string // the attribute NameKey
}

// add appends an attribute, and the members of a group one by one.
func (a *arguments) add(prefix string, attr slog.Attr) {
	attr.Value = attr.Value.Resolve()
	if attr.Equal(slog.Attr{}) {
		return
	}
	switch kind := attr.Value.Kind(); {
	case kind == slog.KindGroup:
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, member := range attr.Value.Group() {
			a.add(prefix, member)
		}
	case kind == slog.KindString && prefix == "" && attr.Key == NameKey:
		a.name = attr.Value.String()
	default:
		a.list = append(a.list, prefix+attr.Key, attr.Value.Any())
	}
}

// named returns log with the name found among the attributes.
func (a *arguments) named(log hclog.Logger) hclog.Logger {
	if a.name == "" {
		return log
	}
	return log.ResetNamed(joinNames(a.handler.name, a.name))
}

// isForeign reports whether a time was read from text, as a plugin's is, and not from this
// process's clock: only that adds a monotonic reading, which Round removes.
func isForeign(at time.Time) bool {
	return at == at.Round(0) //nolint:staticcheck // Equal ignores the monotonic reading
}

// placeOf returns the file and line of a call.
func placeOf(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	if frame.File == "" {
		return ""
	}
	return frame.File + ":" + strconv.Itoa(frame.Line)
}
