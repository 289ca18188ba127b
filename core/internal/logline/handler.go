// Package logline is both sides of the protocol's log lines (protocol §7).
//
// A plugin has one channel for what it wants to tell before, beside and after
// its calls: descriptor 2. Whatever it writes there is read by its host and
// becomes records of the host's log. Most lines are JSON objects in the form
// that hashicorp/go-hclog writes:
//
//	{"@level":"info","@message":"ready","@timestamp":"2006-01-02T15:04:05.000000Z","port":4000}
//
// The rest is whatever programs print: lines with a [WARN] in front, the text
// of a panic, the output of a C library.
//
// The host calls [Pump], which reads all of it until the pipe ends and hands
// slog records to a logger, each with the level, the time and the attributes
// that the plugin gave it. A [Tail] beside it remembers the last lines, for
// the error of a launch that failed.
//
// The plugin logs through a [Handler], a slog.Handler that writes such lines.
// Hosts built on hashicorp/go-plugin read them as well.
//
// # What a line may do
//
// The plugin is not trusted: there is no line that panics the host, stalls it,
// or makes it keep more than the configured limits. A line that is not what it
// seems (a broken object, a level that does not exist, a timestamp that cannot
// be read) is passed on as the text it is.
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

// HandlerOptions is how a Handler writes. The zero value writes every record,
// without a name and without places in the source.
type HandlerOptions struct {
	// Level is the lowest level that is written; nil means that all are. It is
	// asked for each record, so a [slog.LevelVar] may change.
	Level slog.Leveler
	// Name is the logger's name, written as @module; "" leaves that out.
	Name string
	// AddSource writes the place of the logging call as @caller.
	AddSource bool
}

// A Handler is a slog.Handler that writes a plugin's records in the form that
// its host reads on stderr (protocol §7), each as one line and in one Write.
// Hosts built on hashicorp/go-plugin read them too.
//
// Levels are hclog's five; what lies between two of them is written as the
// lower one, and what lies below debug as "trace". Attributes stand beside the
// record's own members. Groups become prefixes with a dot ("request.method"),
// because hosts show a nested object as one opaque value. An attribute outside
// any group whose key is one that the line itself needs (@level, @message,
// @timestamp, and @module and @caller if they are in use) gets a second @ in
// front.
//
// Errors and durations are written as text, times as RFC 3339, everything else
// as encoding/json writes it or, where that fails, as fmt prints it.
//
// A Handler may be used by any number of goroutines. The zero Handler is not
// ready for use; take [NewHandler].
type Handler struct {
	out    *lockedWriter
	opts   HandlerOptions
	prefix string // of the open groups, with the last dot
	attrs  []byte // what WithAttrs added, ready to be written
}

// NewHandler returns a Handler that writes to w.
func NewHandler(w io.Writer, opts HandlerOptions) *Handler {
	return &Handler{out: &lockedWriter{w: w}, opts: opts}
}

// Enabled tells whether records of a level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.opts.Level == nil || level >= h.opts.Level.Level()
}

// Handle writes a record. It returns the writer's error.
func (h *Handler) Handle(_ context.Context, record slog.Record) error {
	buffer := h.out.buffer()
	defer h.out.release(buffer)
	// The level stands in front: a host that does not want it reads no further.
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

// WithGroup returns a Handler that puts name and a dot in front of the keys of
// all attributes that are added later; "" changes nothing.
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

// reserved tells whether the line has a member of its own with this key.
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

// appendCaller appends the place of the call that pc is in, if it has one.
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

// A lockedWriter keeps the lines of all handlers that share it apart.
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

// buffer returns an empty buffer. A record is formatted outside the lock: its
// values' methods may themselves log.
func (l *lockedWriter) buffer() *[]byte {
	if b, ok := l.buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	b := make([]byte, 0, 512)
	return &b
}

// release takes a buffer back, unless one large record has blown it up.
func (l *lockedWriter) release(b *[]byte) {
	const most = 16 << 10
	if cap(*b) <= most {
		l.buffers.Put(b)
	}
}
