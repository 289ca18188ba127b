package logline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Defaults of a Config's zero values.
const (
	DefaultMaxLine    = 1 << 20
	DefaultPanicDelay = 200 * time.Millisecond
)

// Config says what a Pump does with the lines that it reads.
type Config struct {
	// Logger gets a record for each line; nil throws the records away, while
	// Raw and Tail still get what is read.
	Logger *slog.Logger

	// MaxLine is the longest line, in bytes, that is passed on whole; 0 means
	// [DefaultMaxLine]. The pieces of a longer one are plain records of at most
	// this size, each with the attribute "piece", counted from 1. The text of a
	// panic is bounded by it too.
	MaxLine int

	// Raw gets every byte as it was read; nil means nobody does. It holds up the
	// plugin while it blocks. After its first error it gets nothing more.
	Raw io.Writer

	// Tail remembers the last lines; nil means nobody does.
	Tail *Tail

	// PanicDelay is how long the text of a panic waits for more lines before it
	// is logged; 0 means [DefaultPanicDelay], and less than 0 that it waits for
	// the end, or a line that is a record. Something that prints "panic: " need
	// not die of it.
	PanicDelay time.Duration
}

// Pump reads a plugin's stderr from r and logs each line until r ends. It
// blocks meanwhile, and when it returns nothing of it is left running.
//
// A line that is a JSON object with a level of hclog's is a record: @level,
// @message and @timestamp become the record's own, every other member an
// attribute, in the line's order and with its type; objects and arrays stay
// JSON. An attribute with a name of the host's, as "level" or "plugin", gets the
// prefix "plugin_". A message that is no string is shown as its JSON. An object without a
// known level is logged at debug, the line verbatim as its message; a line
// whose timestamp cannot be read is a plain line.
//
// A plain line is logged at the level that it names in front ("[WARN] text"),
// at debug otherwise. A line that [IsDeathHeading] knows, as "panic: boom",
// begins the text of a panic: it and the plain lines after it are one record
// at error level, the first line its message and the rest its attribute
// "stack". A pause ends the text, but not in the middle of a goroutine's trace.
// Where a JSON line or a limit cuts that text, it goes on in another
// record with the attribute "continued"; plain lines that come after a panic's
// text was logged are errors too. Empty lines count only inside such a text.
//
// Pump returns nil when r ends with [io.EOF], otherwise r's error, after it
// has logged what was read. An error of Raw is returned too.
func Pump(r io.Reader, cfg Config) error {
	p := newPump(cfg)
	err := p.run(r)
	p.panic.close()
	if p.rawErr != nil {
		err = errors.Join(err, fmt.Errorf("copying raw log lines: %w", p.rawErr))
	}
	return err
}

// A pump is one run of Pump.
type pump struct {
	out    output
	raw    io.Writer
	rawErr error
	tail   *Tail
	buffer lineBuffer
	object object
	panic  panicText
	piece  int        // how many pieces of the current line were handed on
	level  slog.Level // the level of those pieces

	unwanted func(slog.Level) bool
}

func newPump(cfg Config) *pump {
	p := &pump{raw: cfg.Raw, tail: cfg.Tail, out: output{slog.DiscardHandler}}
	if cfg.Logger != nil {
		p.out.handler = cfg.Logger.Handler()
	}
	if cfg.MaxLine <= 0 {
		cfg.MaxLine = DefaultMaxLine
	}
	if cfg.PanicDelay == 0 {
		cfg.PanicDelay = DefaultPanicDelay
	}
	p.buffer.maxLine = cfg.MaxLine
	p.panic.out, p.panic.limit, p.panic.delay = p.out, cfg.MaxLine, cfg.PanicDelay
	p.unwanted = func(level slog.Level) bool {
		return !p.panic.begun && !p.out.enabled(level) && !p.out.enabled(slog.LevelDebug)
	}
	return p
}

// maxEmptyReads is how often a reader may return nothing at all.
const maxEmptyReads = 100

// run reads and logs until r ends.
func (p *pump) run(r io.Reader) error {
	empty := 0
	for {
		room := p.buffer.room()
		n, err := r.Read(room)
		if n < 0 || n > len(room) {
			return errors.New("reading log lines: the reader returned an impossible count")
		}
		p.copyRaw(room[:n])
		p.buffer.filled(n)
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		p.lines(err != nil)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading log lines: %w", err)
		}
	}
}

// copyRaw passes on what was read.
func (p *pump) copyRaw(text []byte) {
	if p.raw == nil || p.rawErr != nil || len(text) == 0 {
		return
	}
	_, p.rawErr = p.raw.Write(text)
}

// lines logs the lines that are complete; all of them at the end.
func (p *pump) lines(eof bool) {
	for {
		text, last, ok := p.buffer.next(eof)
		if !ok {
			return
		}
		if p.tail != nil && p.piece == 0 && len(text) > 0 {
			p.tail.add(text)
		}
		if last && p.piece == 0 {
			p.line(text)
			continue
		}
		p.pieceOf(text)
		if last {
			p.piece = 0
		}
	}
}

// line logs a whole line.
func (p *pump) line(text []byte) {
	if !looksLikeObject(text) {
		p.plain(text)
		return
	}
	switch p.object.parse(text, p.unwanted) {
	case notObject:
		p.plain(text)
	case isObject:
		p.record(text)
	case isUnwanted:
	}
}

// looksLikeObject tells whether trying to read line as one is worth while.
func looksLikeObject(line []byte) bool {
	for _, c := range line {
		switch c {
		case ' ', '\t', '\r':
		default:
			return c == '{'
		}
	}
	return false
}

// record logs a line that is an object.
func (p *pump) record(line []byte) {
	at, ok := p.object.time(line)
	switch {
	case !ok:
		p.plain(line)
		return
	case !p.object.hasLevel:
		p.panic.interrupt()
		p.out.text(slog.LevelDebug, line)
		return
	}
	p.panic.interrupt()
	if p.out.enabled(p.object.level) {
		p.out.record(p.object.record(line, at))
	}
}

// plain logs a line that is just text.
func (p *pump) plain(line []byte) {
	if p.panic.take(line) || len(line) == 0 {
		return
	}
	level, text := p.plainLevel(line)
	p.out.text(level, text)
}

// pieceOf logs a piece of a line that is too long.
func (p *pump) pieceOf(text []byte) {
	p.piece++
	if p.panic.take(text) {
		p.level = slog.LevelError
		return
	}
	if p.piece == 1 {
		p.level, text = p.plainLevel(text)
	}
	p.out.text(p.level, text, slog.Int("piece", p.piece))
}

// plainLevel returns the level of a plain line outside a panic's text.
func (p *pump) plainLevel(line []byte) (slog.Level, []byte) {
	if level, text, ok := levelPrefixed(line); ok {
		return level, text
	}
	if p.panic.begun {
		return slog.LevelError, line
	}
	return slog.LevelDebug, line
}

// An output is where records go. What the handler makes of them is its own
// business: there is nobody to tell an error to.
type output struct{ handler slog.Handler }

func (o output) enabled(level slog.Level) bool {
	return o.handler.Enabled(context.Background(), level)
}

func (o output) record(r slog.Record) {
	_ = o.handler.Handle(context.Background(), r)
}

// text logs a line that carries no time of its own.
func (o output) text(level slog.Level, message []byte, attrs ...slog.Attr) {
	if !o.enabled(level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, string(message), 0)
	r.AddAttrs(attrs...)
	o.record(r)
}
