package supervise

import (
	"context"
	"errors"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// doubtPause is the pause between the probes of a plugin whose connection a call has lost. Failures
// come at once there, and calls wait for the verdict.
const doubtPause = 100 * time.Millisecond

// watch probes the process until it is lost, and returns the reason. It returns nil when the process
// has left service for another reason, or life ends.
func (p *process) watch(life context.Context, probe Probe) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failed, urgent := 0, false
	for {
		probe.arm(timer, failed, urgent)
		select {
		case <-p.Done():
			return p.endReason()
		case <-p.out:
			return nil
		case <-life.Done():
			return nil
		case <-p.doubted:
			urgent = true
			continue
		case <-timer.C:
		}
		err := p.check(life, probe)
		switch {
		case p.hasEnded() && life.Err() == nil:
			return p.endReason()
		case p.hasLeft(), life.Err() != nil:
			return nil
		case err == nil:
			failed, urgent = 0, false
			p.trust()
			continue
		}
		if failed++; failed >= probe.Threshold {
			return &UnhealthyError{Plugin: p.Name(), Probes: failed, Err: err}
		}
	}
}

// arm sets the timer to the next probe.
func (p Probe) arm(timer *time.Timer, failed int, urgent bool) {
	timer.Stop()
	switch {
	case urgent && failed > 0:
		timer.Reset(doubtPause)
	case urgent:
		timer.Reset(0)
	case p.Interval > 0:
		timer.Reset(p.Interval)
	}
}

// check makes one probe. It ends with the process, and when the process leaves service.
func (p *process) check(ctx context.Context, probe Probe) error {
	ctx, cancel := context.WithTimeoutCause(ctx, probe.Timeout, errSlow)
	defer cancel()
	checked := make(chan struct{})
	defer close(checked)
	go func() {
		select {
		case <-p.Done():
		case <-p.out:
		case <-checked:
		}
		cancel()
	}()
	if probe.Check != nil {
		return probe.Check(ctx, p.client)
	}
	return p.Ping(ctx)
}

// errSlow ends a probe.
var errSlow = core.WithHint(errors.New("no answer in time"), "Config.Probe.Timeout allows for more time")

// becomesHealthy probes a new process until one probe passes, or Threshold probes have failed.
func (p *process) becomesHealthy(ctx context.Context, probe Probe) error {
	for failed := 1; ; failed++ {
		err := p.check(ctx, probe)
		if err == nil {
			return nil
		}
		if failed >= probe.Threshold || p.hasEnded() {
			return err
		}
		pause := time.NewTimer(doubtPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		}
	}
}

// doubt asks for a probe at once, and lets no calls begin until it passes. Then the returned channel
// is closed.
func (p *process) doubt() <-chan struct{} {
	p.mu.Lock()
	p.suspect = true
	trusted := p.trusted
	p.mu.Unlock()
	select {
	case p.doubted <- struct{}{}:
	default: // one is asked for already
	}
	return trusted
}

// trust notes a passed probe. Clients made over a lost connection may be lost with it, so new ones
// are made.
func (p *process) trust() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.suspect {
		clear(p.made)
	}
	p.suspect = false
	close(p.trusted)
	p.trusted = make(chan struct{})
}
