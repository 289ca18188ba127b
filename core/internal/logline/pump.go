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

// Config configures a Pump.
type Config struct {
	// Logger gets a record for each line. If nil, records are dropped, and Raw
	// and Tail still get the input.
	Logger *slog.Logger

	// MaxLine is the maximum length of a whole line, in bytes; 0 means
	// [DefaultMaxLine]. A longer line is cut into plain records of at most this
	// size, with the attribute "piece", counted from 1. It also limits the text
	// of a panic.
	MaxLine int

	// PlainLevel is the level of lines that name none. The zero value is info.
	PlainLevel slog.Level

	// Raw gets every byte unchanged; nil disables it. The plugin waits while
	// Raw blocks. After its first error Raw gets nothing more.
	Raw io.Writer

	// Tail remembers the last lines; nil disables it.
	Tail *Tail

	// PanicDelay is the time that a panic's text waits for more lines; 0 means
	// [DefaultPanicDelay]. If negative, the text waits for the end or for a
	// record. A program that prints "panic: " need not be dying.
	PanicDelay time.Duration
}

// Pump reads a plugin's stderr from r and logs each line until r ends. It blocks until then and
// leaves nothing running.
//
// A JSON object with one of hclog's levels is a record. Its @level, @message and @timestamp become
// the record's own. Every other member becomes an attribute with its type, in the line's order;
// objects and arrays stay JSON. An attribute with a host's name, like "level" or "plugin", gets the
// prefix "plugin_". A message that is not a string is shown as its JSON. With another @level the
// line is its own message, at debug.
//
// Lines of other loggers are records too: objects and key=value text with the keys of a dialect
// (slog, zap, logrus, zerolog, pino, bunyan, logfmt), and text with a prefix of a level, a time or a
// source position (hclog's text, packages log and slog, Python's logging). A level that slog does
// not have, as "fatal", is also the attribute "plugin_level". A time without a zone is the record's
// if it is near now, otherwise the attribute "plugin_time".
//
// All other lines are their own messages, at PlainLevel. So are broken lines and lines without a
// known key for the message, but with the level that could be read. An indented line has the level
// of the plain line above it.
//
// A line accepted by [IsDeathHeading], like "panic: boom", begins the text of a panic. It and the
// plain lines after it form one record at error level: the first line is the message, the rest the
// attribute "stack". A pause ends the text, except in the middle of a goroutine's trace. After a cut
// by a JSON line or a limit, the text continues in another record with the attribute "continued".
// Plain lines after a logged panic are errors too, unless they name a level. Empty lines count only
// inside a panic's text.
//
// Pump returns nil when r ends with [io.EOF], otherwise r's error, after logging the input so far.
// It returns an error of Raw too.
func Pump(r io.Reader, cfg Config) error {
	p := newPump(cfg)
	err := p.run(r)
	p.panic.close()
	if p.rawErr != nil {
		err = errors.Join(err, fmt.Errorf("copying raw log lines: %w", p.rawErr))
	}
	return err
}

// A pump is the state of one Pump call.
type pump struct {
	out    output
	raw    io.Writer
	rawErr error
	tail   *Tail
	buffer lineBuffer
	object object
	panic  panicText
	piece  int        // number of pieces logged of the current line
	level  slog.Level // the level of those pieces
	above  slog.Level // the level of the last plain line

	plainLevel slog.Level
	unwanted   func(slog.Level) bool
}

func newPump(cfg Config) *pump {
	p := &pump{
		raw: cfg.Raw, tail: cfg.Tail, out: output{slog.DiscardHandler},
		plainLevel: cfg.PlainLevel, above: cfg.PlainLevel,
	}
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
		return !p.panic.begun && !p.out.enabled(level)
	}
	return p
}

// maxEmptyReads is the number of empty reads in a row before Pump gives up.
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

// copyRaw passes input on to Raw.
func (p *pump) copyRaw(text []byte) {
	if p.raw == nil || p.rawErr != nil || len(text) == 0 {
		return
	}
	_, p.rawErr = p.raw.Write(text)
}

// lines logs the complete lines; with eof, all of them.
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
		p.broken(text)
	case isObject:
		p.record(text)
	case isUnwanted:
	}
}

// looksLikeObject reports whether line could be an object.
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

// record logs an object.
func (p *pump) record(line []byte) {
	at, ok := p.object.time(line)
	if !ok {
		p.broken(line)
		return
	}
	p.panic.interrupt()
	p.log(p.object.levelOr(p.plainLevel), line, at)
}

// broken logs an object that cannot be read to its end, at the level read before.
func (p *pump) broken(line []byte) {
	if !p.panic.take(line) {
		p.out.text(p.object.levelOr(p.unnamed(line)), line)
	}
}

// log logs the line in p.object, if its level is wanted.
func (p *pump) log(level slog.Level, line []byte, at time.Time) {
	switch {
	case p.object.whole:
		p.out.text(level, line)
	case p.out.enabled(level):
		p.object.level = level
		p.out.record(p.object.record(line, at))
	}
}

// plain logs a line of plain text.
func (p *pump) plain(line []byte) {
	if p.panic.take(line) || len(line) == 0 {
		return
	}
	level := p.unnamed(line)
	if startsPairs(line) {
		if complete := p.object.parsePairs(line); !complete {
			p.object.whole = true
		}
		at, _ := p.object.time(line)
		level = p.object.levelOr(level)
		p.log(level, line, at)
	} else {
		prefix := readPrefix(line)
		if prefix.leveled {
			level = prefix.level
		}
		switch {
		case !p.out.enabled(level):
		case len(prefix.rest) == len(line):
			p.out.text(level, line)
		default:
			p.log(level, line, p.object.parsePrefixed(line, &prefix))
		}
	}
	p.above = level
}

// unnamed returns the level of a plain line that names none. An indented line belongs to the line
// above it: hclog writes values of several lines so, and Python the places of an exception.
func (p *pump) unnamed(line []byte) slog.Level {
	switch {
	case p.panic.begun:
		return slog.LevelError
	case len(line) > 0 && isBlank(line[0]):
		return p.above
	}
	return p.plainLevel
}

// pieceOf logs a piece of an overlong line. The first has the level for all of them.
func (p *pump) pieceOf(text []byte) {
	p.piece++
	if p.panic.take(text) {
		p.level = slog.LevelError
		return
	}
	if p.piece == 1 {
		p.level = p.unnamed(text)
		prefix := readPrefix(text)
		switch {
		case looksLikeObject(text):
			p.object.parse(text, func(slog.Level) bool { return false })
			p.level = p.object.levelOr(p.level)
		case startsPairs(text):
			p.object.parsePairs(text)
			p.level = p.object.levelOr(p.level)
		case prefix.leveled:
			p.level = prefix.level
			if prefix.bare() {
				text = prefix.rest
			}
		}
		p.above = p.level
	}
	p.out.text(p.level, text, slog.Int("piece", p.piece))
}

// An output sends records to a handler. Handler errors are dropped: nobody
// could receive them.
type output struct{ handler slog.Handler }

func (o output) enabled(level slog.Level) bool {
	return o.handler.Enabled(context.Background(), level)
}

func (o output) record(r slog.Record) {
	_ = o.handler.Handle(context.Background(), r)
}

// text logs a line without a time of its own.
func (o output) text(level slog.Level, message []byte, attrs ...slog.Attr) {
	if !o.enabled(level) {
		return
	}
	r := slog.NewRecord(time.Now(), level, string(message), 0)
	r.AddAttrs(attrs...)
	o.record(r)
}
