package loghclog

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"

	"github.com/hashicorp/go-hclog"
)

// CallerKey is the argument that carries the place of a logging call, if
// HandlerOptions asks for it: the key under which hclog writes places as JSON.
const CallerKey = "@caller"

// HandlerOptions is what a handler of NewHandler passes on beside messages and
// attributes. The zero value passes on nothing else.
type HandlerOptions struct {
	// TimeKey is the argument to carry the time of a record. "" carries none:
	// hclog.Logger takes no time, and writes the present one.
	TimeKey string
	// AddSource passes on the place of the logging call as [CallerKey]. hclog's
	// own IncludeLocation would show a place in package slog.
	AddSource bool
}

// NewHandler returns a slog.Handler that writes to log; nil throws everything
// away. Whether a level is enabled is asked of log each time.
//
// Attributes become arguments, in groups with the groups' names and dots in
// front. [NameKey], outside any group and with a text, adds to log's name.
// Values go to hclog as they are, once their LogValue methods are resolved.
func NewHandler(log hclog.Logger, opts HandlerOptions) slog.Handler {
	switch l := log.(type) {
	case nil:
		return slog.DiscardHandler
	case *logger:
		return &direct{Handler: l.handler, level: l.level}
	}
	return &handler{log: log, opts: opts, name: log.Name()}
}

// A direct is the handler below a logger of ours, with the logger's level.
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
	log    hclog.Logger // with the name and the arguments that were added
	opts   HandlerOptions
	name   string // of the logger that the handler was made of
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

// Handle logs a record. It never fails: hclog tells nobody when it does.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	// Two arguments an attribute, and four for the time and the place.
	args := arguments{handler: h, list: make([]any, 0, 2*record.NumAttrs()+4)}
	if h.opts.TimeKey != "" && !record.Time.IsZero() {
		args.list = append(args.list, h.opts.TimeKey, record.Time.Round(0))
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

// arguments gathers attributes in hclog's form.
type arguments struct {
	handler *handler
	list    []any
	name    string // the attribute NameKey
}

// add takes an attribute, and those of a group one by one.
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

// named returns log with the name that came among the attributes.
func (a *arguments) named(log hclog.Logger) hclog.Logger {
	if a.name == "" {
		return log
	}
	return log.ResetNamed(joinNames(a.handler.name, a.name))
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
