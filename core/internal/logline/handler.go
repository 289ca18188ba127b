// Package logline writes and reads the protocol's log lines (protocol §7).
//
// A plugin has one channel for messages before, beside and after its calls:
// descriptor 2. The host reads it and turns the text into records of the host's
// log. Most lines are JSON objects in the format of hashicorp/go-hclog:
//
//	{"@level":"info","@message":"ready","@timestamp":"2006-01-02T15:04:05.000000Z","port":4000}
//
// The rest is other output: lines of other loggers, lines with a [WARN] in front, the text
// of a panic, the output of a C library.
//
// The host calls [Pump]. It reads until the pipe ends and hands slog records to
// a logger, each with the plugin's level, time and attributes. A [Tail] beside
// it remembers the last lines, for the error of a failed launch.
//
// The plugin logs through a [Handler], a slog.Handler for these lines. Hosts
// built on hashicorp/go-plugin read them too.
//
// # Limits of a line
//
// The plugin is not trusted: no line can panic the host, stall it, or make it
// keep more than the configured limits. A malformed line (a broken object, an
// unknown level, an unreadable timestamp) is passed on as plain text.
package logline

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// HandlerOptions configures a Handler. The zero value writes every record,
// without a name and without source positions.
type HandlerOptions struct {
	// Level is the minimum level; nil writes all levels. The handler reads it
	// for each record, so a [slog.LevelVar] may change.
	Level slog.Leveler
	// Name is the logger's name, written as @module; "" omits it.
	Name string
	// AddSource writes the position of the logging call as @caller.
	AddSource bool
}

// A Handler is a slog.Handler for a plugin's records on stderr (protocol §7).
// It writes each record as one line in one Write. Hosts built on
// hashicorp/go-plugin read them too.
//
// The levels are hclog's five. A level between two of them is written as the
// lower, and a level below debug as "trace". Attributes become members of the
// record's object. Groups become prefixes with a dot ("request.method"),
// because hosts show a nested object as one opaque value. An attribute outside
// any group gets a second @ if its key is reserved: @level, @message and
// @timestamp, and @module and @caller if in use.
//
// Errors and durations are written as text, and times as RFC 3339.
// encoding/json writes all other values; if it fails, fmt does.
//
// A Handler may be used by any number of goroutines. The zero Handler is not
// ready for use; call [NewHandler].
type Handler struct {
	out    *lockedWriter
	opts   HandlerOptions
	prefix string // the open groups, with the last dot
	attrs  []byte // the attributes of WithAttrs, encoded
}

// NewHandler returns a Handler that writes to w.
func NewHandler(w io.Writer, opts HandlerOptions) *Handler {
	return &Handler{out: &lockedWriter{w: w}, opts: opts}
}

// Enabled reports whether records of a level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.opts.Level == nil || level >= h.opts.Level.Level()
}

// Handle writes a record. It returns the writer's error.
func (h *Handler) Handle(_ context.Context, record slog.Record) error {
	buffer := h.out.buffer()
	defer h.out.release(buffer)
	// The level comes first: a host can drop the line after reading it.
	line := append(*buffer, `{"`+keyLevel+`":"`...)
	line = append(line, levelName(record.Level)...)
	line = append(line, `","`+keyMessage+`":`...)
	line = appendString(line, record.Message)
	if h.opts.Name != "" {
		line = append(line, `,"`+keyModule+`":`...)
		line = appendString(line, h.opts.Name)
	}
	if !record.Time.IsZero() {
		line = append(line, `,"`+keyTimestamp+`":"`...)
		line = record.Time.AppendFormat(line, timeLayout)
		line = append(line, '"')
	}
	if h.opts.AddSource {
		line = appendCaller(line, record.PC)
	}
	line = append(line, h.attrs...)
	record.Attrs(func(attr slog.Attr) bool {
		line = h.appendAttr(line, h.prefix, attr)
		return true
	})
	line = append(line, '}', '\n')
	*buffer = line
	return h.out.write(line)
}

// WithAttrs returns a Handler that adds attrs to each record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	derived := *h
	derived.attrs = slices.Clip(slices.Clone(h.attrs))
	for _, attr := range attrs {
		derived.attrs = h.appendAttr(derived.attrs, h.prefix, attr)
	}
	return &derived
}

// WithGroup returns a Handler that prefixes the keys of later attributes with
// name and a dot; "" changes nothing.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	derived := *h
	derived.prefix += name + "."
	return &derived
}

// appendAttr appends an attribute as a member, a group as its members.
func (h *Handler) appendAttr(line []byte, prefix string, attr slog.Attr) []byte {
	attr.Value = attr.Value.Resolve()
	if attr.Equal(slog.Attr{}) {
		return line
	}
	if attr.Value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, member := range attr.Value.Group() {
			line = h.appendAttr(line, prefix, member)
		}
		return line
	}
	key := prefix + attr.Key
	if h.reserved(key) {
		key = "@" + key
	}
	line = append(line, ',')
	line = appendString(line, key)
	line = append(line, ':')
	return appendValue(line, attr.Value)
}

// reserved reports whether the line has its own member with this key.
func (h *Handler) reserved(key string) bool {
	if !strings.HasPrefix(key, "@") {
		return false
	}
	switch key {
	case keyLevel, keyMessage, keyTimestamp:
		return true
	case keyModule:
		return h.opts.Name != ""
	case keyCaller:
		return h.opts.AddSource
	}
	return false
}

// appendCaller appends the source position of pc, if known.
func appendCaller(line []byte, pc uintptr) []byte {
	if pc == 0 {
		return line
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	if frame.File == "" {
		return line
	}
	line = append(line, `,"`+keyCaller+`":`...)
	return appendString(line, frame.File+":"+strconv.Itoa(frame.Line))
}

// A lockedWriter serializes the lines of all handlers that share it.
type lockedWriter struct {
	mu      sync.Mutex
	w       io.Writer
	buffers sync.Pool // of *[]byte
}

func (l *lockedWriter) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.w.Write(line)
	return err
}

// buffer returns an empty buffer. Records are formatted outside the lock,
// because the methods of their values may log.
func (l *lockedWriter) buffer() *[]byte {
	if b, ok := l.buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, 512)
	return &b
}

// release takes a buffer back, unless a large record has grown it.
func (l *lockedWriter) release(b *[]byte) {
	const most = 16 << 10
	if cap(*b) <= most {
		l.buffers.Put(b)
	}
}
