package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// fake is a process of time and events alone, for a synctest bubble.
type fake struct {
	id   string
	name string
	done chan struct{}
	ping func(ctx context.Context) error

	mu      sync.Mutex
	err     error
	isDone  bool
	stopErr error
	stopped bool
}

func (f *fake) Ping(ctx context.Context) error {
	if f.ping != nil {
		return f.ping(ctx)
	}
	return nil
}

func (f *fake) Stop(context.Context) error {
	f.end(nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	return f.stopErr
}

func (f *fake) Done() <-chan struct{} { return f.done }
func (f *fake) ID() string            { return f.id }
func (f *fake) Name() string          { return f.name }

func (f *fake) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fake) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.isDone {
		f.isDone, f.err = true, err
		close(f.done)
	}
}

// crash ends the process as a fault would.
func (f *fake) crash() { f.end(&core.ExitError{Plugin: f.name, Code: 2, Status: "exit status 2"}) }

// call is a call of the process that takes some time, and ends with the process or the context.
func (f *fake) call(ctx context.Context, takes time.Duration) error {
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.done:
		return fmt.Errorf("call: %w", core.ErrConnectionLost)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// world launches fakes, and keeps the events.
type world struct {
	t *testing.T

	// launching is called for each launch with its number from 1, if set. Its process may be changed.
	launching func(number int, f *fake) error
	// takes is the time of a launch.
	takes time.Duration

	mu     sync.Mutex
	fakes  []*fake
	at     []time.Time // of launches, failed ones too
	events []Event
}

func (w *world) launch(ctx context.Context, cfg host.Config) (running, error) {
	w.mu.Lock()
	w.at = append(w.at, time.Now())
	f := &fake{id: strconv.Itoa(len(w.at)), name: "fake", done: make(chan struct{})}
	if cfg.Name != "" {
		f.name = cfg.Name
	}
	launching := w.launching
	w.mu.Unlock()
	if w.takes > 0 {
		select {
		case <-time.After(w.takes):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if launching != nil {
		number, _ := strconv.Atoi(f.id)
		if err := launching(number, f); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fakes = append(w.fakes, f)
	return f, nil
}

// start starts a supervisor, and closes it with the test.
func (w *world) start(cfg Config) *Supervisor {
	w.t.Helper()
	cfg.OnEvent = w.seen
	cfg.Launch.Logger = slog.New(slog.DiscardHandler)
	s, err := start(w.t.Context(), cfg, w.launch)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, f := range w.fakes {
			if !f.isDone {
				w.t.Errorf("the process %s runs on", f.id)
			}
		}
	})
	return s
}

func (w *world) seen(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// kinds returns the kinds of all events, each with its process.
func (w *world) kinds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	kinds := make([]string, 0, len(w.events))
	for _, e := range w.events {
		kind := string(e.Kind)
		if e.ID != "" {
			kind += " " + e.ID
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// want compares the events.
func (w *world) want(kinds ...string) {
	w.t.Helper()
	if got := w.kinds(); !slices.Equal(got, kinds) {
		w.t.Errorf("events:\n got %q\nwant %q", got, kinds)
	}
}

// latest returns the process launched last.
func (w *world) latest() *fake {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fakes[len(w.fakes)-1]
}

func (w *world) launches() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.at)
}

// try makes a call on the process in service, and returns its ID.
func try(ctx context.Context, s *Supervisor, repeats int, takes time.Duration) (id string, err error) {
	err = s.do(ctx, repeats, func(ctx context.Context, p *process) error {
		f, ok := p.running.(*fake)
		if !ok {
			return errors.New("not a fake")
		}
		id = f.id
		return f.call(ctx, takes)
	})
	return id, err
}

// pass lets time pass in the bubble.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's time
	synctest.Wait()
}
