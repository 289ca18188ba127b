package supervise

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// Replace launches the plugin anew with another configuration, for example a newer program, and
// lets it take the calls without a failure of any. Restarts use the new configuration from then on.
//
// The new process is launched, prepared, probed and asked for a client of each handle, while the old
// one takes the calls. If any of this fails, that is the error: the new process is ended, the old one
// goes on, and a restart uses the old configuration. Otherwise new calls go to the new process. The
// old one finishes its calls, for which it has Config.Drain or until ctx ends, and leaves. A
// replacement has succeeded by then: the old process's end is an [EventRetired] and no error.
//
// Replacements come one after the other. A plugin that is down is launched at once. A supervisor
// that has given up stays so.
func (s *Supervisor) Replace(ctx context.Context, config host.Config) error {
	select {
	case s.replacing <- struct{}{}:
		defer func() { <-s.replacing }()
	case <-s.life.Done():
		return s.ended()
	case <-ctx.Done():
		return fmt.Errorf("replace %s: %w", called(s.name), context.Cause(ctx))
	}
	if config.Logger == nil {
		config.Logger = s.logger
	}
	p, err := s.successor(ctx, config)
	if s.life.Err() != nil && err != nil {
		return s.ended()
	}
	if err != nil {
		err = fmt.Errorf("replace %s: %w", called(s.name), err)
		s.emit(Event{Kind: EventRolledBack, Err: err})
		return err
	}
	retired := make(chan []*process, 1)
	select {
	case s.replaced <- replacement{p, config, retired}:
	case <-s.life.Done():
		s.stop(p)
		return s.ended()
	}
	for _, old := range <-retired {
		select {
		case <-old.ended:
		case <-ctx.Done():
			old.cutDrain()
			<-old.ended // bounded by Launch.Timeouts
		}
	}
	return nil
}

// successor launches a healthy process. The end of the supervisor ends the launch.
func (s *Supervisor) successor(ctx context.Context, config host.Config) (*process, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(core.ErrClosed) })()
	p, err := s.bring(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := p.becomesHealthy(ctx, s.cfg.Probe); err != nil {
		s.stop(p)
		if exit := p.Err(); exit != nil && !hasExit(err) {
			err = errors.Join(err, exit)
		}
		return nil, fmt.Errorf("probe the new process: %w", err)
	}
	return p, nil
}

// ended returns the error of calls after the end.
func (s *Supervisor) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.final
}
