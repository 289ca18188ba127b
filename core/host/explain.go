package host

import (
	"context"
	"fmt"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// err is why the process ended, if nobody asked for it.
func (p *process) err() error {
	select {
	case <-p.ended:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected {
		return nil
	}
	return p.exitError()
}

// exitError describes the end. It is called after ended.
func (p *process) exitError() *core.ExitError {
	return &core.ExitError{
		Plugin: p.cfg.Name,
		Code:   p.exit.Code,
		Status: p.exit.String(),
		Stderr: p.tail.Lines(),
	}
}

// explain joins the end of the process to an error that it may be the cause of.
func (p *process) explain(ctx context.Context, err error) error {
	if p.cfg.Timeouts.ExitGrace < 0 {
		return err
	}
	grace := time.NewTimer(p.cfg.Timeouts.ExitGrace)
	defer grace.Stop()
	select {
	case <-p.ended:
		if cause := p.err(); cause != nil {
			return fmt.Errorf("%w: %w", err, cause)
		}
		return fmt.Errorf("%w: the host has ended the plugin", core.ErrClosed)
	case <-grace.C:
	case <-ctx.Done():
	}
	return err
}
