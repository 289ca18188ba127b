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

// SlogLevel converts an hclog level to slog's scale. hclog.NoLevel and unknown values
// become [slog.LevelInfo], hclog's own default.
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

// HclogLevel returns the highest hclog level at or below a slog level, and hclog.Trace for
// anything lower. Only [LevelOff] becomes hclog.Off.
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
