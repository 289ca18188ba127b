package logline

import (
	"bytes"
	"log/slog"
)

// LevelTrace is the level of hclog's "trace". slog has no name for it: it is
// one step of slog's scale below [slog.LevelDebug].
const LevelTrace = slog.LevelDebug - 4

// levelNamed returns the level with hclog's name, in any case and with white
// space around it, as hclog reads it. Names outside hclog's scale ("warning",
// "fatal", "off") are unknown and count as debug.
func levelNamed(name []byte) (slog.Level, bool) {
	switch string(name) {
	case "trace":
		return LevelTrace, true
	case "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn":
		return slog.LevelWarn, true
	case "error":
		return slog.LevelError, true
	}
	folded := bytes.ToLower(bytes.TrimSpace(name))
	if bytes.Equal(folded, name) {
		return slog.LevelDebug, false
	}
	return levelNamed(folded)
}

// levelName returns the name of hclog's highest level not above level. Levels
// below debug are "trace".
func levelName(level slog.Level) string {
	switch {
	case level < slog.LevelDebug:
		return "trace"
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	default:
		return "error"
	}
}

// levelPrefixed splits a plain line like "[WARN] disk is full" into its level
// and its text.
func levelPrefixed(line []byte) (level slog.Level, text []byte, ok bool) {
	if len(line) == 0 || line[0] != '[' {
		return 0, line, false
	}
	end := bytes.IndexByte(line[:min(len(line), len("[TRACE]"))], ']')
	if end < 0 {
		return 0, line, false
	}
	switch string(line[1:end]) {
	case "TRACE":
		level = LevelTrace
	case "DEBUG":
		level = slog.LevelDebug
	case "INFO":
		level = slog.LevelInfo
	case "WARN":
		level = slog.LevelWarn
	case "ERROR":
		level = slog.LevelError
	default:
		return 0, line, false
	}
	return level, bytes.TrimLeft(line[end+1:], " \t"), true
}
