package supervise

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

func TestReplaceLetsCallsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, takes: time.Second}
		s := w.start(Config{Spare: true})
		pass(time.Minute)
		type result struct {
			id  string
			err error
		}
		old := make(chan result, 1)
		go func() {
			id, err := try(t.Context(), s, 0, 10*time.Second)
			old <- result{id, err}
		}()
		synctest.Wait()
		replaced := make(chan error, 1)
		go func() { replaced <- s.Replace(t.Context(), host.Config{}) }()
		pass(2 * time.Second)
		if id, err := try(t.Context(), s, 0, 0); id != "3" || err != nil {
			t.Errorf("a call during the drain: %q, %v", id, err)
		}
		select {
		case err := <-replaced:
			t.Errorf("replaced with a call under way: %v", err)
		default:
		}
		if got := <-old; got.id != "1" || got.err != nil {
			t.Errorf("the call under way: %+v", got)
		}
		if err := <-replaced; err != nil {
			t.Error(err)
		}
		pass(time.Minute)
		w.want("up 1", "spare up 2", "up 3", "retired 2", "spare up 4", "retired 1")
	})
}

func TestReplaceCutsCallsOffAfterTheDrain(t *testing.T) {
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"Config.Drain": func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"the context": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t}
				s := w.start(Config{Drain: 5 * time.Second})
				cut, repeated := make(chan error, 1), make(chan string, 1)
				go func() { _, err := try(t.Context(), s, 0, time.Minute); cut <- err }()
				go func() { id, _ := try(t.Context(), s, 1, time.Minute); repeated <- id }()
				synctest.Wait()
				ctx, cancel := end(t.Context())
				defer cancel()
				began := time.Now()
				if err := s.Replace(ctx, host.Config{}); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("replaced after %v", took)
				}
				if err := <-cut; !errors.Is(err, ErrReplaced) || errors.Is(err, context.Canceled) {
					t.Errorf("the call: %v", err)
				}
				if id := <-repeated; id != "2" {
					t.Errorf("the idempotent call was repeated on %q", id)
				}
			})
		})
	}
}

func TestReplaceRollsBack(t *testing.T) {
	broken := errors.New("broken")
	fails := func(context.Context) error { return broken }
	for name, tc := range map[string]struct {
		launching func(number int, f *fake) error
		prepare   int
	}{
		"a failed launch": {launching: func(number int, _ *fake) error {
			if number == 2 {
				return broken
			}
			return nil
		}},
		"a process that fails its probes": {launching: func(number int, f *fake) error {
			if number == 2 {
				f.ping = fails
			}
			return nil
		}},
		"a process that cannot be prepared": {prepare: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, launching: tc.launching}
				s := w.start(Config{Prepare: w.failOn(tc.prepare)})
				done := make(chan error, 1)
				go func() { _, err := try(t.Context(), s, 0, time.Minute); done <- err }()
				synctest.Wait()
				if err := s.Replace(t.Context(), host.Config{Name: "new"}); err == nil {
					t.Error("replaced")
				}
				if err := <-done; err != nil {
					t.Errorf("a call during the rollback: %v", err)
				}
				if id, err := try(t.Context(), s, 0, 0); id != "1" || err != nil {
					t.Errorf("a call after the rollback: %q, %v", id, err)
				}
				w.want("up 1", "rolled back")
				w.latest().crash()
				w.fakes[0].crash()
				if id, err := try(t.Context(), s, 0, 0); id != "3" || err != nil {
					t.Errorf("a call after a restart: %q, %v", id, err)
				}
				if got := w.latest().name; got != "fake" {
					t.Errorf("the restart used the configuration of %q", got)
				}
			})
		})
	}
}

func TestReplaceRevivesAPluginThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{Restart: Restart{MinPause: time.Hour, MaxPause: time.Hour}})
		w.latest().crash()
		synctest.Wait()
		began := time.Now()
		if err := s.Replace(t.Context(), host.Config{Name: "new"}); err != nil {
			t.Fatal(err)
		}
		if _, err := try(t.Context(), s, 0, 0); err != nil || time.Since(began) > time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		w.latest().crash()
		pass(2 * time.Hour)
		if got := w.latest(); got.id != "3" || got.name != "new" {
			t.Errorf("the restart launched %s %q", got.id, got.name)
		}
	})
}

func TestReplaceDropsALaunchOfTheOldConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		w.takes = time.Minute
		w.latest().crash()
		pass(time.Second)
		w.takes = 0
		if err := s.Replace(t.Context(), host.Config{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if id, err := try(t.Context(), s, 0, 0); id != "3" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
		if !w.latest().stopped || w.launches() != 3 {
			t.Errorf("%d launches, and the late process runs on", w.launches())
		}
	})
}

func TestReplaceAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		w.takes = time.Hour
		replaced := make(chan error, 1)
		go func() { replaced <- s.Replace(t.Context(), host.Config{}) }()
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-replaced; !errors.Is(err, core.ErrClosed) {
			t.Errorf("during the close: %v", err)
		}
		if err := s.Replace(t.Context(), host.Config{}); !errors.Is(err, core.ErrClosed) {
			t.Errorf("after the close: %v", err)
		}
	})
}
