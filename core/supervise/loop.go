package supervise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// arrival is the result of a launch.
type arrival struct {
	epoch   int // of its configuration
	process *process
	err     error
}

// failure is the loss of a process.
type failure struct {
	process *process
	reason  error
}

// replacement is a new process with its configuration.
type replacement struct {
	process *process
	config  host.Config
	retired chan<- []*process // gets the processes before
}

// loop is the state of the goroutine that keeps the plugin running.
type loop struct {
	*Supervisor

	spare     *process
	live      map[*process]struct{} // of the present configuration, those being stopped too
	epoch     int                   // counts configurations
	launching bool
	failures  int // in a row
	paused    bool
	timer     *time.Timer // ends the pause
}

// run keeps the plugin running until the supervisor ends.
func (s *Supervisor) run(first *process) {
	l := &loop{Supervisor: s, live: make(map[*process]struct{}), timer: time.NewTimer(0)}
	l.timer.Stop()
	l.join(first)
	for s.life.Err() == nil {
		l.launchMissing()
		select {
		case <-s.life.Done():
		case a := <-s.launched:
			l.arrived(a)
		case f := <-s.failed:
			l.lost(f)
		case p := <-s.gone:
			delete(l.live, p)
		case <-l.timer.C:
			l.paused = false
		case r := <-s.replaced:
			l.replace(r)
		}
	}
	l.timer.Stop()
	s.setCurrent(nil)
	s.work.Wait()
	s.hurry(nil)
	s.emit(Event{Kind: EventClosed})
	close(s.done)
}

// wanted returns the number of processes to have.
func (l *loop) wanted() int {
	if l.cfg.Spare {
		return 2
	}
	return 1
}

// launchMissing begins a launch if a process is missing. A process being stopped is not missing yet:
// the new one may need what it holds.
func (l *loop) launchMissing() {
	if l.launching || l.paused || len(l.live) >= l.wanted() {
		return
	}
	l.launching = true
	l.mu.Lock()
	config := l.config
	l.mu.Unlock()
	epoch := l.epoch
	l.work.Go(func() {
		p, err := l.bring(l.life, config)
		select {
		case l.launched <- arrival{epoch, p, err}:
		case <-l.life.Done():
			if p != nil {
				l.stop(p)
			}
		}
	})
}

// bring launches and prepares a process. It has clients for all handles.
func (s *Supervisor) bring(ctx context.Context, config host.Config) (*process, error) {
	r, err := s.launch(ctx, config)
	if err != nil {
		return nil, err
	}
	p := newProcess(r)
	if err := s.prepare(ctx, p, config); err != nil {
		s.stop(p)
		if exit := p.Err(); exit != nil && !errors.Is(err, exit) && !hasExit(err) {
			err = fmt.Errorf("%w (%w)", err, exit)
		}
		return nil, fmt.Errorf("%s: prepare the new process: %w", called(p.Name()), err)
	}
	return p, nil
}

func (s *Supervisor) prepare(ctx context.Context, p *process, config host.Config) error {
	if limit := prepareLimit(config); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errLatePrepare)
		defer cancel()
	}
	if s.cfg.Prepare != nil {
		if err := s.cfg.Prepare(ctx, p.client); err != nil {
			return err
		}
	}
	return s.dispenseAll(ctx, p)
}

// errLatePrepare ends the preparation of a process.
var errLatePrepare = core.WithHint(errors.New("the preparation took too long"), "Config.Launch.Timeouts.Start allows for more time")

// arrived takes the result of a launch.
func (l *loop) arrived(a arrival) {
	l.launching = false
	switch {
	case a.epoch != l.epoch: // launched for a configuration that was replaced meanwhile
		if a.process != nil {
			l.work.Go(func() { l.stop(a.process) })
		}
	case a.err != nil:
		l.count()
		l.note(a.err)
		l.emit(Event{Kind: EventLaunchFailed, Err: a.err, Failures: l.failures, Pause: l.pause()})
		l.giveUpAtTheLimit()
	default:
		l.join(a.process)
	}
}

// join puts a new process to its place.
func (l *loop) join(p *process) {
	l.live[p] = struct{}{}
	l.work.Go(func() { l.guard(p) })
	if l.serving() == nil {
		l.promote(p)
		return
	}
	l.spare = p
	l.emit(Event{Kind: EventSpareUp, ID: p.ID()})
}

// promote lets a process take the calls.
func (l *loop) promote(p *process) {
	l.setCurrent(p)
	l.emit(Event{Kind: EventUp, ID: p.ID(), Failures: l.failures})
}

// lost notes the loss of a process. A spare takes its place.
func (l *loop) lost(f failure) {
	kind := EventDown
	switch f.process {
	case l.serving():
		l.note(f.reason)
	case l.spare:
		kind = EventSpareDown
	default:
		return // replaced meanwhile
	}
	if time.Since(f.process.since) >= l.cfg.Restart.Steady {
		l.failures = 0
	}
	l.count()
	spare := l.spare
	l.spare = nil
	if kind == EventDown {
		l.setCurrent(spare)
	}
	f.process.leaveService()
	l.emit(Event{Kind: kind, ID: f.process.ID(), Err: f.reason, Failures: l.failures, Pause: l.pause()})
	if kind == EventDown && spare != nil {
		l.emit(Event{Kind: EventUp, ID: spare.ID(), Failures: l.failures})
	}
	l.giveUpAtTheLimit()
}

// count counts a failure, and stops at a number that no pause depends on.
func (l *loop) count() { l.failures = min(l.failures+1, 1<<20) }

// pause begins the pause before the next launch, and returns it.
func (l *loop) pause() time.Duration {
	pause := l.cfg.Restart.pause(l.failures)
	l.timer.Reset(pause)
	l.paused = true
	return pause
}

// giveUpAtTheLimit ends the supervisor if there is no process and there were too many failures.
func (l *loop) giveUpAtTheLimit() {
	limit := l.cfg.Restart.Limit
	if limit < 0 || l.failures < limit || l.launching || l.serving() != nil {
		return
	}
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	gaveUp := &GaveUpError{Plugin: l.name, Failures: l.failures, Err: last}
	l.finish(gaveUp)
	l.emit(Event{Kind: EventGaveUp, Err: gaveUp, Failures: l.failures})
}

// replace puts a process of another configuration in the place of the present ones.
func (l *loop) replace(r replacement) {
	var retired []*process
	for _, p := range []*process{l.serving(), l.spare} {
		if p != nil {
			retired = append(retired, p)
		}
	}
	l.mu.Lock()
	l.config = r.config
	l.mu.Unlock()
	l.epoch++
	l.spare, l.failures, l.paused = nil, 0, false
	l.timer.Stop()
	clear(l.live)
	l.live[r.process] = struct{}{}
	l.work.Go(func() { l.guard(r.process) })
	l.promote(r.process)
	for _, p := range retired {
		p.leaveService()
	}
	r.retired <- retired
}

// serving returns the process in service, or nil.
func (s *Supervisor) serving() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// setCurrent lets calls begin on p; on none if it is nil.
func (s *Supervisor) setCurrent(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = p
	s.change()
}

// note keeps the last failure, for calls that wait.
func (s *Supervisor) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = err
}

// guard watches over a process and ends it.
func (s *Supervisor) guard(p *process) {
	defer close(p.ended)
	reason := p.watch(s.life, s.cfg.Probe)
	switch {
	case reason != nil:
		p.lose(reason)
		select {
		case s.failed <- failure{p, reason}:
			<-p.out
		case <-s.life.Done():
		}
	case p.drain(s.life, s.cfg.Drain), s.life.Err() != nil:
	case p.hasEnded():
		reason = p.endReason()
	default:
		reason = ErrReplaced
	}
	p.leaveService()
	if reason != nil {
		p.lose(reason)
	}
	if !p.hasEnded() && reason != nil {
		p.cutOff()
	}
	s.leave(p, reason)
	select {
	case s.gone <- p:
	case <-s.life.Done():
	}
	p.cutOffLate()
}

// leave ends a process that is out of service.
func (s *Supervisor) leave(p *process, reason error) {
	closing := s.life.Err() != nil
	if closing && reason == nil {
		s.mu.Lock()
		p.lose(s.final)
		s.mu.Unlock()
	}
	err := p.Stop(s.stopping)
	switch {
	case closing && reason == nil:
		s.mu.Lock()
		s.stopErr = errors.Join(s.stopErr, err)
		s.mu.Unlock()
	case reason == nil || errors.Is(reason, ErrReplaced):
		s.emit(Event{Kind: EventRetired, ID: p.ID(), Err: err})
	}
}

// stop ends a process that was never in service.
func (s *Supervisor) stop(p *process) {
	if err := p.Stop(s.stopping); err != nil {
		s.logger.DebugContext(s.life, "a process that was not used did not leave in order", "plugin", p.Name(), "error", err)
	}
}
