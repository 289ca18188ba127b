package host

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/runner"
)

// stop ends the plugin and returns the error of its end.
func (c *Client) stop(ctx context.Context) error {
	if c.test {
		return c.process.detach()
	}
	c.process.expect(causeAsked)
	reason := c.leave(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeouts.Kill)
	defer cancel()
	left := c.process.hasEnded()
	err := c.process.kill(ctx) // nothing to kill if it has left
	switch {
	case errors.Is(reason, core.ErrCannotQuit):
		c.killed.Store(true)
		c.process.logger.DebugContext(ctx, "the plugin was ended", "reason", reason)
		return err
	case reason == nil && err == nil:
		return c.exitFailure()
	case reason == nil:
		return err
	case err != nil:
		return errors.Join(&StopError{Plugin: c.name, Err: reason}, err)
	case left && c.terminated.Load():
		return c.leftOnSignal(ctx, reason)
	case left && !c.killed.Load(): // late, and by itself
		return c.exitFailure()
	}
	c.process.logger.WarnContext(ctx, "the plugin did not leave in order and was killed", "reason", reason)
	return &StopError{Plugin: c.name, Err: reason}
}

// leftOnSignal returns the error of a plugin that left on SIGTERM.
func (c *Client) leftOnSignal(ctx context.Context, reason error) error {
	c.process.logger.WarnContext(ctx, "the plugin left on SIGTERM, not when asked", "reason", reason)
	stop := &StopError{Plugin: c.name, Left: true, Err: reason}
	if err := c.exitFailure(); err != nil {
		return errors.Join(stop, err)
	}
	return stop
}

// exitFailure returns the ExitError of a plugin that exited nonzero after it was asked to leave. It
// returns nil if the plugin was killed on request, or had crashed before. An unknown status is nil
// too: a host that reaps all its children may get the status before the runner does.
func (c *Client) exitFailure() error {
	exit := c.process.exit
	unknown := exit.Code == runner.ExitUnknown && exit.Signal == nil
	if c.killed.Load() || !c.process.asked() || exit.Success() || unknown {
		return nil
	}
	return c.process.exitError()
}

// leave makes the plugin leave and waits until it has. The steps before a kill are in [Timeouts].
func (c *Client) leave(ctx context.Context) error {
	if c.process.hasEnded() {
		return nil
	}
	if c.timeouts.Stop < 0 {
		return core.WithHint(errors.New("it was not asked"), "Config.Timeouts.Stop is negative")
	}
	asking, cancel := context.WithTimeoutCause(ctx, c.timeouts.Stop,
		core.WithHint(fmt.Errorf("it was still there after %v", c.timeouts.Stop), "Config.Timeouts.Stop allows for more time"))
	defer cancel()
	err := c.ask(asking)
	if err == nil {
		err = c.awaitEnd(asking)
	}
	switch {
	case c.process.hasEnded(): // it left, and its answer may be lost with it
		return nil
	case ctx.Err() != nil, c.killed.Load():
		return err
	case asking.Err() == nil && !isUnaskable(err): // it has refused, and need not be waited for
		cancel()
	}
	return c.terminate(ctx, asking, err)
}

func isUnaskable(err error) bool {
	return errors.Is(err, core.ErrConnectionLost) || errors.Is(err, core.ErrCannotQuit)
}

// ask asks the plugin to leave over the connection. If the connection is or gets lost before the
// plugin has agreed, the error wraps [core.ErrConnectionLost].
func (c *Client) ask(ctx context.Context) error {
	if c.isLost() {
		return core.ErrConnectionLost
	}
	err := c.session.Quit(ctx)
	if err != nil && !errors.Is(err, core.ErrCannotQuit) && c.isLost() {
		return core.ErrConnectionLost // the session's error says the same in more words, or not at all
	}
	return err
}

func (c *Client) isLost() bool {
	select {
	case <-c.session.Done():
		return true
	default:
		return false
	}
}

// terminate sends SIGTERM, and waits until the plugin has left: for the rest of the time to leave
// when asked, and for the time after it. It returns the reason, joined with the reason for a kill if
// one is needed.
func (c *Client) terminate(ctx, asking context.Context, reason error) error {
	polite, ok := c.process.runner.(interface{ Terminate() error })
	if !ok || c.timeouts.Terminate < 0 {
		return reason // the runner or the configuration has nothing milder than a kill
	}
	c.process.expect(causeTerminated)
	err := polite.Terminate()
	ended := errors.Is(err, os.ErrProcessDone) // by itself, and the rest of its output is being read
	switch {
	case err == nil:
		c.terminated.Store(true)
	case !ended:
		return reason // nor has the platform
	}
	if err = c.awaitEnd(asking); err != nil {
		patience, cancel := context.WithTimeoutCause(ctx, c.timeouts.Terminate,
			core.WithHint(fmt.Errorf("it was still there %v later", c.timeouts.Terminate), "Config.Timeouts.Terminate allows for more time"))
		defer cancel()
		err = c.awaitEnd(patience)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w, and SIGTERM did not end it: %w", reason, err)
	case ended:
		return nil
	}
	return reason
}

// awaitEnd waits for the end of the process.
func (c *Client) awaitEnd(ctx context.Context) error {
	select {
	case <-c.process.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hasEnded reports whether the process is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
