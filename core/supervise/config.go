package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
)

// Defaults of [Config].
const (
	DefaultMinPause       = 100 * time.Millisecond
	DefaultMaxPause       = 30 * time.Second
	DefaultLimit          = 10
	DefaultSteady         = time.Minute
	DefaultProbeInterval  = 10 * time.Second
	DefaultProbeTimeout   = 5 * time.Second
	DefaultProbeThreshold = 3
	DefaultRepeats        = 1
	DefaultDrain          = 30 * time.Second
)

// Config describes a plugin and how to keep it running. Config is never modified. Most hosts set
// Launch alone.
type Config struct {
	// Launch describes the plugin's program. Required. A restart launches it again, so its writers
	// serve several processes: one after the other, and at the same time with a spare or during a
	// replacement. A reader in Command.Stdin has one end for all of them. Launch.Logger also takes
	// the supervisor's messages.
	Launch host.Config

	// Prepare is called with each new process before its first call, for example to configure it.
	// An error ends the process and counts as a failed launch. Launch.Timeouts.Start limits it too.
	// Nil: nothing to prepare.
	Prepare func(ctx context.Context, client *host.Client) error

	// Restart says when the plugin is launched again.
	Restart Restart

	// Probe says how a hung plugin is recognized.
	Probe Probe

	// Spare keeps a second process ready to replace a lost one at once, without a launch. It is
	// prepared and probed like the first.
	Spare bool

	// Wait limits the time for which a call waits for a process while none is in service. 0: only
	// the call's context limits it. A negative value lets the call fail at once, with a *[DownError].
	Wait time.Duration

	// Repeats is how many times a call of an idempotent handle is repeated after the loss of its
	// process. 0 means DefaultRepeats; a negative value repeats none.
	Repeats int

	// Drain limits the time for the calls under way on a replaced process. Then they fail with
	// [ErrReplaced]. 0 means DefaultDrain; with a negative value they take as long as they need.
	Drain time.Duration

	// OnEvent is called for each [Event], one at a time. The supervisor waits for it to return, so it
	// must not call the plugin, replace it or close the supervisor, except in a new goroutine. Nil:
	// events are only logged.
	OnEvent func(Event)
}

// Restart says when a plugin is launched again.
//
// Each failure counts: the unasked end of a process, its failed probes, a failed launch. The pause
// after the first failure is MinPause, and it doubles with each further one up to MaxPause. Pauses
// are shortened at random by up to half. A process that has run for Steady resets the count.
type Restart struct {
	// MinPause is the pause after the first failure; 0 means DefaultMinPause.
	MinPause time.Duration
	// MaxPause limits the pause. 0 means DefaultMaxPause, or MinPause if that is longer.
	MaxPause time.Duration
	// Limit is the number of failures in a row after which the supervisor gives up with a
	// *[GaveUpError]. 0 means DefaultLimit; with a negative value it never gives up.
	Limit int
	// Steady is the time after which a process counts as successful. 0 means DefaultSteady.
	Steady time.Duration
}

// Probe says how a hung plugin is recognized. A plugin that fails Threshold probes in a row is
// stopped and launched again; calls under way fail with an *[UnhealthyError]. A call that loses its
// connection causes a probe at once, and further calls wait for the result.
type Probe struct {
	// Interval is the pause between probes. 0 means DefaultProbeInterval. With a negative value
	// only lost connections cause probes.
	Interval time.Duration
	// Timeout limits a probe. 0 means DefaultProbeTimeout.
	Timeout time.Duration
	// Threshold is the number of failed probes in a row. 0 means DefaultProbeThreshold.
	Threshold int
	// Check is the probe. It must return when its context ends. Nil: [host.Client.Ping].
	Check func(ctx context.Context, client *host.Client) error
}

func (c Config) validate() error {
	var err error
	for name, duration := range map[string]time.Duration{
		"Restart.MinPause": c.Restart.MinPause, "Restart.MaxPause": c.Restart.MaxPause, "Restart.Steady": c.Restart.Steady,
		"Probe.Timeout": c.Probe.Timeout,
	} {
		if duration < 0 {
			err = errors.Join(err, fmt.Errorf("the setting Config.%s is negative: %v", name, duration))
		}
	}
	if c.Restart.MaxPause != 0 && c.Restart.MaxPause < c.Restart.MinPause {
		err = errors.Join(err, fmt.Errorf("the setting Config.Restart.MaxPause (%v) is below Config.Restart.MinPause (%v)", c.Restart.MaxPause, c.Restart.MinPause))
	}
	if c.Probe.Threshold < 0 {
		err = errors.Join(err, fmt.Errorf("the setting Config.Probe.Threshold is negative: %d", c.Probe.Threshold))
	}
	return err
}

func (c Config) withDefaults() Config {
	setDefault(&c.Restart.MinPause, DefaultMinPause)
	setDefault(&c.Restart.MaxPause, max(DefaultMaxPause, c.Restart.MinPause))
	setDefault(&c.Restart.Limit, DefaultLimit)
	setDefault(&c.Restart.Steady, DefaultSteady)
	setDefault(&c.Probe.Interval, DefaultProbeInterval)
	setDefault(&c.Probe.Timeout, DefaultProbeTimeout)
	setDefault(&c.Probe.Threshold, DefaultProbeThreshold)
	setDefault(&c.Repeats, DefaultRepeats)
	setDefault(&c.Drain, DefaultDrain)
	if c.Launch.Logger == nil {
		c.Launch.Logger = slog.Default()
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// pause returns the pause before the launch after a number of failures in a row. Chance keeps
// plugins that failed together from starting together again and again.
func (r Restart) pause(failures int) time.Duration {
	pause := r.MinPause
	for range failures - 1 {
		if pause >= r.MaxPause/2 {
			pause = r.MaxPause
			break
		}
		pause *= 2
	}
	return pause - rand.N(pause/2+1) //nolint:gosec // no secret depends on the pause
}

// prepareLimit returns the time limit of Prepare; 0 for none.
func prepareLimit(launch host.Config) time.Duration {
	switch limit := launch.Timeouts.Start; {
	case limit == 0:
		return host.DefaultStartTimeout
	case limit < 0:
		return 0
	default:
		return limit
	}
}
