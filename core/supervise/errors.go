package supervise

import (
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
)

// ErrReplaced is the reason of a call that was cut off because its process was replaced, and the
// call took longer than Config.Drain.
var ErrReplaced = core.WithHint(errors.New("the process was replaced, and the call did not end in time"), "Config.Drain allows for more time")

// DownError is the error of a call that began with no process, since none came into service in
// time. It unwraps to the end of the call's context, if that ended the wait, and to Err.
type DownError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Err is the reason: the end of the last process, or the last failed launch.
	Err error
	// the end of the call's context; nil if Config.Wait ended the wait
	end error
}

func (e *DownError) Error() string {
	text := called(e.Plugin) + " is not running and is being launched again"
	if e.end != nil {
		text += fmt.Sprintf(": the call waited in vain: %v", e.end)
	}
	if e.Err != nil {
		text += fmt.Sprintf(" (the last process: %v)", e.Err)
	}
	return text
}

// Unwrap returns the end of the context, and the reason.
func (e *DownError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.end, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// GaveUpError is the final state of a supervisor: its plugin failed too often in a row, and is not
// launched any more. Every further call returns it.
type GaveUpError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Failures is the number of failures in a row (Config.Restart.Limit).
	Failures int
	// Err is the last failure: a *[core.ExitError], an *[UnhealthyError], or the error of a launch.
	Err error
}

func (e *GaveUpError) Error() string {
	return fmt.Sprintf("%s failed %d times in a row and is not launched any more: %v", called(e.Plugin), e.Failures, e.Err)
}

// DeveloperHint names the setting, for [core.Hint].
func (e *GaveUpError) DeveloperHint() string {
	return "Config.Restart.Limit allows for more failures in a row"
}

// Unwrap returns the last failure.
func (e *GaveUpError) Unwrap() error { return e.Err }

// UnhealthyError is the reason of a restart: the plugin failed its probes.
type UnhealthyError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Probes is the number of failed probes in a row (Config.Probe.Threshold).
	Probes int
	// Err is the error of the last probe.
	Err error
}

func (e *UnhealthyError) Error() string {
	return fmt.Sprintf("%s failed %d probes in a row and was stopped: %v", called(e.Plugin), e.Probes, e.Err)
}

// Unwrap returns the error of the last probe.
func (e *UnhealthyError) Unwrap() error { return e.Err }

// errEnded is the reason of a process that the application itself ended.
var errEnded = errors.New("the host has ended the process")

// isLost reports whether a call failed because its process or the connection was lost.
func isLost(err error) bool {
	var exit *core.ExitError
	return errors.Is(err, core.ErrConnectionLost) || errors.Is(err, core.ErrClosed) || errors.As(err, &exit)
}

// called returns the plugin's name for an error's text. It does not name a program called plugin
// twice.
func called(name string) string {
	if name == "" || name == "plugin" {
		return "plugin"
	}
	return "plugin " + name
}
