package supervise

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// failOn returns a Prepare that fails in the given numbers of its calls.
func (w *world) failOn(numbers ...int) func(context.Context, *host.Client) error {
	count := 0
	return func(context.Context, *host.Client) error {
		count++
		if slices.Contains(numbers, count) {
			return errors.New("not today")
		}
		return nil
	}
}

func TestCallUnderWayFailsWithTheCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		time.AfterFunc(time.Second, w.latest().crash)
		id, err := try(t.Context(), s, 0, time.Hour)
		var exit *core.ExitError
		if id != "1" || !errors.As(err, &exit) || !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("got %q, %v", id, err)
		}
	})
}

func TestIdempotentCallIsRepeatedOnTheNextProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{Restart: Restart{Limit: -1}})
		time.AfterFunc(time.Second, w.latest().crash)
		if id, err := try(t.Context(), s, 1, 2*time.Second); id != "2" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}

		w.launching = func(_ int, f *fake) error {
			time.AfterFunc(time.Second, f.crash) // the call crashes it each time
			return nil
		}
		w.latest().crash()
		before := w.launches()
		var exit *core.ExitError
		if _, err := try(t.Context(), s, 2, time.Hour); !errors.As(err, &exit) {
			t.Errorf("got %v", err)
		}
		if tried := w.launches() - before; tried != 3 {
			t.Errorf("the call ran %d times, want once and two repeats", tried)
		}
	})
}

func TestApplicationErrorIsNeitherChangedNorRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		calls, refused := 0, errors.New("refused")
		err := s.do(t.Context(), 5, func(context.Context, *process) error { calls++; return refused })
		if err != refused || calls != 1 {
			t.Errorf("%d calls: %v", calls, err)
		}
	})
}

func TestCallWithoutAProcessWaits(t *testing.T) {
	var exit *core.ExitError
	for name, tc := range map[string]struct {
		wait  time.Duration
		limit time.Duration // of the context; 0 for none
		after time.Duration // the expected end of the wait
		check func(err error) bool
	}{
		"for its process":        {0, 0, time.Hour, func(err error) bool { return err == nil }},
		"not at all":             {-1, 0, 0, func(err error) bool { return errors.As(err, &exit) }},
		"for Config.Wait":        {time.Second, 0, time.Second, func(err error) bool { return errors.As(err, &exit) }},
		"for the call's context": {0, time.Second, time.Second, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t}
				s := w.start(Config{Wait: tc.wait})
				w.takes = time.Hour
				w.latest().crash()
				synctest.Wait()
				ctx := t.Context()
				if tc.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.limit)
					defer cancel()
				}
				began := time.Now()
				_, err := try(ctx, s, 0, 0)
				took := time.Since(began)
				var down *DownError
				if !tc.check(err) || err != nil && !errors.As(err, &down) || took < tc.after || took > tc.after+time.Minute {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

func TestSpareTakesTheCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, takes: time.Minute}
		s := w.start(Config{Spare: true})
		pass(2 * time.Minute)
		w.want("up 1", "spare up 2")
		w.fakes[0].crash()
		synctest.Wait()
		began := time.Now()
		if id, err := try(t.Context(), s, 0, 0); id != "2" || err != nil || time.Since(began) > 0 {
			t.Errorf("after %v: %q, %v", time.Since(began), id, err)
		}
		pass(2 * time.Minute)
		w.want("up 1", "spare up 2", "down 1", "up 2", "spare up 3")
		w.fakes[2].crash()
		pass(2 * time.Minute)
		w.want("up 1", "spare up 2", "down 1", "up 2", "spare up 3", "spare down 3", "spare up 4")
	})
}

func TestLaunchOfASpareServesALostPlugin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, takes: time.Minute}
		s := w.start(Config{Spare: true, Restart: Restart{MinPause: time.Hour, Limit: 1}})
		synctest.Wait()
		w.fakes[0].crash() // while the spare is launched
		if id, err := try(t.Context(), s, 0, 0); id != "2" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
	})
}

func TestCloseEndsCallsAndLaunches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		errs := make(chan error, 2)
		go func() { _, err := try(t.Context(), s, 5, time.Hour); errs <- err }()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-errs; !errors.Is(err, core.ErrClosed) {
			t.Errorf("the call under way: %v", err)
		}
		if _, err := try(t.Context(), s, 0, 0); !errors.Is(err, core.ErrClosed) {
			t.Errorf("a call after the close: %v", err)
		}
		if s.Err() != nil {
			t.Errorf("Err: %v", s.Err())
		}
		w.want("up 1", "closed")

		w = &world{t: t}
		s = w.start(Config{})
		w.takes = time.Hour
		w.latest().crash()
		go func() { _, err := try(t.Context(), s, 5, time.Hour); errs <- err }()
		pass(time.Minute)
		began := time.Now()
		if err := s.Close(); err != nil || time.Since(began) > 0 {
			t.Errorf("a close during a launch: %v after %v", err, time.Since(began))
		}
		if err := <-errs; !errors.Is(err, core.ErrClosed) {
			t.Errorf("the waiting call: %v", err)
		}
	})
}

func TestCloseReturnsTheErrorOfTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		killed := errors.New("it was killed")
		w := &world{t: t, launching: func(_ int, f *fake) error { f.stopErr = killed; return nil }}
		s, err := start(t.Context(), Config{}, w.launch)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Close(); !errors.Is(err, killed) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestSupervisorsKnowNothingOfEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &world{t: t}, &world{t: t}
		a.start(Config{Restart: Restart{Limit: 1}})
		second := b.start(Config{})
		a.latest().crash()
		synctest.Wait()
		a.want("up 1", "down 1", "gave up", "closed")
		if id, err := try(t.Context(), second, 0, 0); id != "1" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
		b.want("up 1")
	})
}
