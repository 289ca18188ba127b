package logline

import (
	"bytes"
	"log/slog"
	"strconv"
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

// longestWord is the length of "EMERGENCY+999", more than any level's.
const longestWord = 16

// words are the names of levels in other loggers.
var words = map[string]struct {
	level slog.Level
	exact bool // the name says no more than the level
}{
	"trace":     {LevelTrace, true},
	"debug":     {slog.LevelDebug, true},
	"info":      {slog.LevelInfo, true},
	"notice":    {slog.LevelInfo, false},
	"warn":      {slog.LevelWarn, true},
	"warning":   {slog.LevelWarn, true},
	"err":       {slog.LevelError, true},
	"error":     {slog.LevelError, true},
	"dpanic":    {slog.LevelError, false},
	"panic":     {slog.LevelError, false},
	"fatal":     {slog.LevelError, false},
	"crit":      {slog.LevelError, false},
	"critical":  {slog.LevelError, false},
	"alert":     {slog.LevelError, false},
	"emerg":     {slog.LevelError, false},
	"emergency": {slog.LevelError, false},
	// The numbers of pino and bunyan.
	"10": {LevelTrace, true},
	"20": {slog.LevelDebug, true},
	"30": {slog.LevelInfo, true},
	"40": {slog.LevelWarn, true},
	"50": {slog.LevelError, true},
	"60": {slog.LevelError, false},
}

// levelWord returns the level of another logger's name, in any case. slog's names can have an
// offset, as in "INFO+2". exact is false if the name says more than the level, as "fatal" does.
func levelWord(word []byte) (level slog.Level, exact, ok bool) {
	if len(word) == 0 || len(word) > longestWord {
		return 0, false, false
	}
	if i := bytes.IndexAny(word, "+-"); i > 0 {
		offset, err := strconv.ParseInt(string(word[i:]), 10, 16)
		level, exact, ok = levelWord(word[:i])
		return level + slog.Level(offset), exact, ok && exact && err == nil
	}
	var folded [longestWord]byte
	for i, c := range word {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	found, ok := words[string(folded[:len(word)])]
	return found.level, found.exact, ok
}
