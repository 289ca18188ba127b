package supervise

import (
	"context"
	"log/slog"
	"time"
)

// Event is a change in the life of a supervised plugin.
type Event struct {
	// Kind is the change. Its comment names the other fields that are set.
	Kind EventKind
	// Plugin is the plugin's name.
	Plugin string
	// ID is the process, as in [host.Client.ID].
	ID string
	// Err is the reason.
	Err error
	// Failures is the number of failures in a row.
	Failures int
	// Pause is the time until the next launch.
	Pause time.Duration
}

// EventKind is a kind of [Event].
type EventKind string

// The kinds of events.
const (
	// EventUp: the process ID takes the calls from now on.
	EventUp EventKind = "up"
	// EventDown: the process ID was lost because of Err. The next launch follows after Pause; a
	// spare takes the calls at once.
	EventDown EventKind = "down"
	// EventLaunchFailed: a launch failed with Err. The next one follows after Pause.
	EventLaunchFailed EventKind = "launch failed"
	// EventSpareUp: the process ID waits as the spare.
	EventSpareUp EventKind = "spare up"
	// EventSpareDown: the spare ID was lost because of Err. The next launch follows after Pause.
	EventSpareDown EventKind = "spare down"
	// EventRolledBack: the new program of a replacement did not become healthy because of Err. The
	// old process goes on.
	EventRolledBack EventKind = "rolled back"
	// EventRetired: the replaced process ID has ended. Err is set if it did not leave in order.
	EventRetired EventKind = "retired"
	// EventGaveUp: the supervisor has given up with Err, a *[GaveUpError]. It is the last event
	// but EventClosed.
	EventGaveUp EventKind = "gave up"
	// EventClosed: nothing is left of the supervisor and its processes. It is the last event.
	EventClosed EventKind = "closed"
)

// emit logs an event and reports it. Events are reported one at a time.
func (s *Supervisor) emit(e Event) {
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	e.Plugin = s.name
	level, message := e.record()
	attrs := make([]slog.Attr, 0, 5)
	attrs = append(attrs, slog.String("plugin", e.Plugin))
	if e.ID != "" {
		attrs = append(attrs, slog.String("id", e.ID))
	}
	if e.Failures > 0 {
		attrs = append(attrs, slog.Int("failures", e.Failures))
	}
	if e.Pause > 0 {
		attrs = append(attrs, slog.Duration("pause", e.Pause))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	s.logger.LogAttrs(context.Background(), level, message, attrs...) //nolint:sloglint // record returns constants
	s.onEvent(e)
}

// record returns the level and the message of an event's record.
func (e Event) record() (slog.Level, string) {
	switch e.Kind {
	case EventUp:
		if e.Failures > 0 {
			return slog.LevelInfo, "the plugin is in service again"
		}
		return slog.LevelDebug, "the plugin is in service"
	case EventDown:
		return slog.LevelWarn, "the plugin was lost and is launched again"
	case EventLaunchFailed:
		return slog.LevelWarn, "the plugin cannot be launched, and the next attempt follows"
	case EventSpareUp:
		return slog.LevelDebug, "a spare process is ready"
	case EventSpareDown:
		return slog.LevelWarn, "the spare process was lost"
	case EventRolledBack:
		return slog.LevelWarn, "the plugin was not replaced: the new process is not healthy"
	case EventRetired:
		return slog.LevelDebug, "the replaced process has ended"
	case EventGaveUp:
		return slog.LevelError, "the plugin is not launched any more: it failed too often"
	default:
		return slog.LevelDebug, "the plugin is no longer supervised"
	}
}
