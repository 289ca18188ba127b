package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// Supervisor keeps a plugin running. It is safe for use by many goroutines. Its owner ends it with
// Close or Stop.
type Supervisor struct {
	cfg     Config // without Launch, which Replace changes
	name    string
	logger  *slog.Logger
	onEvent func(Event)
	launch  func(ctx context.Context, cfg host.Config) (running, error)

	life     context.Context // ends with Close and when the supervisor gives up
	end      context.CancelFunc
	stopping context.Context // ends when the processes must not take more time to leave
	hurry    context.CancelCauseFunc
	done     chan struct{}
	work     sync.WaitGroup // launches and guards

	launched  chan arrival
	failed    chan failure
	gone      chan *process
	replaced  chan replacement
	replacing chan struct{} // held by a Replace

	eventMu sync.Mutex

	mu      sync.Mutex
	config  host.Config   // of the next launch
	current *process      // takes the calls; nil without one
	changed chan struct{} // closed when current or final changes
	last    error         // the last failure
	final   error         // no call begins any more
	handles map[any]dispense
	stopErr error
}

// Start launches a plugin and keeps it running until the supervisor is closed. ctx limits the first
// launch, which is not repeated: its failure is the error, a *[host.LaunchError] or that of Prepare,
// and leaves nothing behind. The values of ctx are available to Prepare and Check.
func Start(ctx context.Context, cfg Config) (*Supervisor, error) {
	return start(ctx, cfg, func(ctx context.Context, cfg host.Config) (running, error) {
		client, err := host.Launch(ctx, cfg)
		if err != nil {
			return nil, err // a nil *host.Client would not be nil as a running
		}
		return client, nil
	})
}

func start(ctx context.Context, cfg Config, launch func(context.Context, host.Config) (running, error)) (*Supervisor, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("supervise a plugin: %w", err)
	}
	cfg = cfg.withDefaults()
	s := &Supervisor{
		cfg:       cfg,
		logger:    cfg.Launch.Logger,
		onEvent:   cfg.OnEvent,
		launch:    launch,
		done:      make(chan struct{}),
		launched:  make(chan arrival),
		failed:    make(chan failure),
		gone:      make(chan *process),
		replaced:  make(chan replacement),
		replacing: make(chan struct{}, 1),
		config:    cfg.Launch,
		changed:   make(chan struct{}),
		handles:   make(map[any]dispense),
	}
	values := context.WithoutCancel(ctx)
	s.life, s.end = context.WithCancel(values)
	s.stopping, s.hurry = context.WithCancelCause(values)
	first, err := s.bring(ctx, cfg.Launch)
	if err != nil {
		s.end()
		s.hurry(nil)
		return nil, err
	}
	s.name = first.Name()
	go s.run(first)
	return s, nil
}

// Do calls f with the client of the process in service, and waits for one if there is none (see
// Config.Wait). It serves calls without a [Handle]: names known only at run time, or versions with
// types of their own.
//
// The context of f ends with ctx, and when the process is lost: then its cause is the reason. f must
// not keep the client. The error is that of f, with the reason added if the process was lost; a
// *[DownError], a *[GaveUpError] or [core.ErrClosed] if f was not called.
func (s *Supervisor) Do(ctx context.Context, f func(ctx context.Context, client *host.Client) error) error {
	return s.do(ctx, 0, func(ctx context.Context, p *process) error { return f(ctx, p.client) })
}

// do calls f, and repeats it if its process was lost.
func (s *Supervisor) do(ctx context.Context, repeats int, f func(ctx context.Context, p *process) error) error {
	var previous error
	for ; ; repeats-- {
		c, err := s.begin(ctx)
		if err != nil {
			if previous != nil {
				err = fmt.Errorf("%w (it could not be repeated: %w)", previous, err)
			}
			return err
		}
		lost, err := s.attempt(ctx, c, f)
		if err == nil || !lost {
			return err
		}
		p := c.process
		trusted := p.doubt()
		if repeats <= 0 || ctx.Err() != nil {
			return err
		}
		previous = err
		select { // a call on the same process would fail too
		case <-p.out:
		case <-trusted:
		case <-ctx.Done():
			return err
		}
	}
}

// attempt calls f once, and reports whether an error is due to the loss of the process.
func (s *Supervisor) attempt(ctx context.Context, c *call, f func(ctx context.Context, p *process) error) (lost bool, err error) {
	defer c.end()
	if err = f(c.ctx, c.process); err == nil {
		return false, nil
	}
	cut, reason := c.process.lostFor()
	cut = cut && ctx.Err() == nil
	switch {
	case cut && !isLost(err) && errors.Is(err, context.Canceled): // not the caller's context
		return true, fmt.Errorf("%s: the call was cut off: %w", called(s.name), reason)
	case !cut && !isLost(err):
		return false, err
	case reason == nil || errors.Is(err, reason) || hasExit(err) && hasExit(reason):
		return true, err
	default:
		return true, fmt.Errorf("%w (%w)", err, reason)
	}
}

func hasExit(err error) bool {
	var exit *core.ExitError
	return errors.As(err, &exit)
}

// begin begins a call on the process in service, and waits for one.
func (s *Supervisor) begin(ctx context.Context) (*call, error) {
	var late <-chan time.Time
	for {
		s.mu.Lock()
		current, changed, last, final := s.current, s.changed, s.last, s.final
		s.mu.Unlock()
		if final != nil {
			return nil, final
		}
		var trusted <-chan struct{}
		if current != nil {
			var c *call
			if c, trusted = current.begin(ctx); c != nil {
				return c, nil
			}
		}
		if s.cfg.Wait > 0 && late == nil {
			timer := time.NewTimer(s.cfg.Wait)
			defer timer.Stop()
			late = timer.C
		}
		if s.cfg.Wait < 0 && current == nil { // otherwise the next process, or its absence, is about to be known
			return nil, &DownError{Plugin: s.name, Err: last}
		}
		select {
		case <-changed:
		case <-trusted:
		case <-late:
			return nil, &DownError{Plugin: s.name, Err: last}
		case <-ctx.Done():
			return nil, &DownError{Plugin: s.name, Err: last, end: context.Cause(ctx)}
		}
	}
}

// Name returns the plugin's name for errors and logs.
func (s *Supervisor) Name() string { return s.name }

// Done is closed when the supervisor was closed or has given up, and nothing of its processes is
// left.
func (s *Supervisor) Done() <-chan struct{} { return s.done }

// Err returns the *[GaveUpError] of a supervisor that has given up. It returns nil before, and after
// a close.
func (s *Supervisor) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gaveUp *GaveUpError
	if errors.As(s.final, &gaveUp) {
		return gaveUp
	}
	return nil
}

// Close ends the plugin for good, as [host.Client.Close] does: calls under way have
// Launch.Timeouts.Stop to finish, and no more begin. When it returns, nothing is left of all
// processes. The error is that of the process in service, and of the spare. Close may be called
// again.
func (s *Supervisor) Close() error { return s.Stop(context.Background()) }

// Stop is Close with a context. Its end shortens the plugin's time to leave.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.finish(fmt.Errorf("%s: %w: its supervisor was closed", called(s.name), core.ErrClosed))
	select {
	case <-s.done:
	case <-ctx.Done():
		s.hurry(context.Cause(ctx))
		<-s.done // bounded by Launch.Timeouts.Kill
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopErr
}

// finish lets no more calls begin, because of the first final error.
func (s *Supervisor) finish(final error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.final == nil {
		s.final = final
		s.change()
	}
	s.end()
}

// change wakes the waiting calls; it is called with the lock held.
func (s *Supervisor) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}
