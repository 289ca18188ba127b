package loghclog

import (
	"io"
	"log"
	"log/slog"
	"runtime"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// StandardLogger returns a package log logger on top of this one. With nil opts everything
// is logged at info.
func (l *logger) StandardLogger(opts *hclog.StandardLoggerOptions) *log.Logger { //nolint:forbidigo // hclog.Logger has this method
	return log.New(l.StandardWriter(opts), "", 0) //nolint:forbidigo // the same
}

// StandardWriter returns a writer; each Write becomes one record. With nil opts everything
// is logged at info.
func (l *logger) StandardWriter(opts *hclog.StandardLoggerOptions) io.Writer {
	w := &standardWriter{log: l}
	if opts != nil {
		w.opts = *opts
	}
	return w
}

// A standardWriter is the destination of a package log logger.
type standardWriter struct {
	log  *logger
	opts hclog.StandardLoggerOptions
}

// Write logs data as one record. It accepts all of data and never fails.
func (w *standardWriter) Write(data []byte) (int, error) {
	level, message := w.read(strings.TrimRight(string(data), " \t\r\n"))
	if level < LevelOff && w.log.enabled(level) {
		w.log.writeAt(standardCaller(), level, message, nil)
	}
	return len(data), nil
}

// read returns the level and the text of a line, according to the options.
func (w *standardWriter) read(line string) (slog.Level, string) {
	forced := w.opts.ForceLevel != hclog.NoLevel
	if !forced && !w.opts.InferLevels {
		return slog.LevelInfo, line
	}
	if w.opts.InferLevels && w.opts.InferLevelsWithTimestamp {
		line = strings.TrimLeft(line, "0123456789 \t:/.+-TZ")
	}
	level, message := prefixed(line)
	if forced {
		level = SlogLevel(w.opts.ForceLevel)
	}
	return level, message
}

// prefixed reads the level from a line's prefix; without a prefix it is info.
func prefixed(line string) (slog.Level, string) {
	name, text, ok := strings.Cut(strings.TrimPrefix(line, "["), "]")
	if !ok || line[0] != '[' {
		return slog.LevelInfo, line
	}
	var level slog.Level
	switch name {
	case "TRACE":
		level = LevelTrace
	case "DEBUG":
		level = slog.LevelDebug
	case "INFO":
		level = slog.LevelInfo
	case "WARN":
		level = slog.LevelWarn
	case "ERROR", "ERR":
		level = slog.LevelError
	default:
		return slog.LevelInfo, line
	}
	return level, strings.TrimSpace(text)
}

// standardCaller returns the caller of package log, or of the writer.
func standardCaller() uintptr {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(ownFrames, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "log.") {
			// A record's PC is a return address; a frame's PC is the call before it.
			return frame.PC + 1
		}
		if !more {
			return 0
		}
	}
}
