package loghclog

import (
	"log/slog"
	"math"

	"github.com/hashicorp/go-hclog"
)

// LevelTrace is hclog.Trace on slog's scale: one step below [slog.LevelDebug].
const LevelTrace = slog.LevelDebug - 4

// LevelOff is hclog.Off on slog's scale: no record reaches it.
const LevelOff = slog.Level(math.MaxInt)

// SlogLevel returns a level of hclog's on slog's scale. hclog.NoLevel, and what
// is no level at all, is [slog.LevelInfo], as hclog's own default is.
func SlogLevel(level hclog.Level) slog.Level {
	switch level {
	case hclog.Trace:
		return LevelTrace
	case hclog.Debug:
		return slog.LevelDebug
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	case hclog.Off:
		return LevelOff
	default:
		return slog.LevelInfo
	}
}

// HclogLevel returns the highest level of hclog's that a level of slog's
// reaches, and hclog.Trace for what lies below. Only [LevelOff] is hclog.Off.
func HclogLevel(level slog.Level) hclog.Level {
	switch {
	case level < slog.LevelDebug:
		return hclog.Trace
	case level < slog.LevelInfo:
		return hclog.Debug
	case level < slog.LevelWarn:
		return hclog.Info
	case level < slog.LevelError:
		return hclog.Warn
	case level < LevelOff:
		return hclog.Error
	default:
		return hclog.Off
	}
}
