package host

import (
	"context"
	"fmt"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// kill forces the end, and waits until nothing is left or ctx ends.
func (p *process) kill(ctx context.Context) error {
	p.expect()
	if err := p.runner.Kill(ctx); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of plugin %s: %w", p.cfg.Name, context.Cause(ctx))
	}
}

// abort ends a process whose launch has failed. It returns how the process ended
// if it did so by itself, and waits a moment for that if it seems to be ending.
func (p *process) abort(ctx context.Context, ending bool) *core.ExitError {
	p.expect()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeouts.Kill)
	defer cancel()
	alone := p.endsAlone(ctx, ending)
	if err := p.kill(ctx); err != nil {
		p.logger.WarnContext(ctx, "the plugin whose launch failed cannot be ended", "error", err)
		return nil
	}
	if !alone {
		return nil
	}
	return p.exitError()
}

// endsAlone reports whether the process has ended. One that seems to be ending
// gets the time to: the end of its output comes before its status.
func (p *process) endsAlone(ctx context.Context, ending bool) bool {
	var patience time.Duration
	if ending {
		patience = max(p.cfg.Timeouts.ExitGrace, 0)
	}
	grace := time.NewTimer(patience)
	defer grace.Stop()
	select {
	case <-p.ended:
		return true
	case <-grace.C:
	case <-ctx.Done():
	}
	select {
	case <-p.ended: // with no patience both may be there
		return true
	default:
		return false
	}
}
