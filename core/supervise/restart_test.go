package supervise

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

func TestCrashedPluginIsRestartedAfterGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.start(Config{Restart: Restart{MinPause: time.Second, MaxPause: 5 * time.Second, Limit: -1}})
		for i, seconds := range []int{1, 2, 4, 5, 5} {
			longest := time.Duration(seconds) * time.Second
			began := time.Now()
			w.latest().crash()
			pass(longest + time.Millisecond)
			if w.launches() != i+2 {
				t.Fatalf("crash %d: %d launches after %v", i+1, w.launches(), longest)
			}
			if pause := w.at[i+1].Sub(began); pause < longest/2 || pause > longest {
				t.Errorf("crash %d: launched again after %v, want %v to %v", i+1, pause, longest/2, longest)
			}
		}
		pass(DefaultSteady)
		began := time.Now()
		w.latest().crash()
		pass(2 * time.Second)
		if pause := w.at[6].Sub(began); pause > time.Second {
			t.Errorf("after a steady time: launched again after %v", pause)
		}
	})
}

func TestSupervisorGivesUpOnACrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.launching = func(number int, _ *fake) error {
			if number > 2 {
				return errors.New("no such file")
			}
			return nil
		}
		s := w.start(Config{Restart: Restart{Limit: 3}})
		w.latest().crash()
		waiting := make(chan error, 1)
		pass(time.Second)
		w.latest().crash()
		synctest.Wait()
		go func() {
			_, err := try(t.Context(), s, 0, 0)
			waiting <- err
		}()
		var gaveUp *GaveUpError
		if err := <-waiting; !errors.As(err, &gaveUp) || gaveUp.Failures != 3 || gaveUp.Err.Error() != "no such file" {
			t.Errorf("the waiting call: %v", err)
		}
		<-s.Done()
		if err := s.Err(); err != gaveUp {
			t.Errorf("Err: %v", err)
		}
		if _, err := try(t.Context(), s, 0, 0); err != error(gaveUp) {
			t.Errorf("a later call: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if s.Err() == nil {
			t.Error("Close has hidden the final state")
		}
		w.want("up 1", "down 1", "up 2", "down 2", "launch failed", "gave up", "closed")
	})
}

func TestStartDoesNotRepeatTheFirstLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		w := &world{t: t, launching: func(int, *fake) error { return broken }}
		if _, err := start(t.Context(), Config{}, w.launch); err != broken {
			t.Errorf("got %v", err)
		}
		if w.launches() != 1 {
			t.Errorf("%d launches", w.launches())
		}
	})
}

func TestHungPluginIsRestartedAfterItsProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		hangs := make(chan struct{})
		w.launching = func(number int, f *fake) error {
			if number == 1 {
				f.ping = func(ctx context.Context) error {
					select {
					case <-hangs:
						<-ctx.Done()
						return context.Cause(ctx)
					default:
						return nil
					}
				}
			}
			return nil
		}
		s := w.start(Config{Probe: Probe{Interval: 10 * time.Second, Timeout: 2 * time.Second, Threshold: 2}})
		pass(time.Minute)
		w.want("up 1")
		close(hangs)
		began := time.Now()
		_, err := try(t.Context(), s, 0, time.Hour)
		took := time.Since(began)
		var unhealthy *UnhealthyError
		if !errors.As(err, &unhealthy) || unhealthy.Probes != 2 || errors.Is(err, context.Canceled) {
			t.Errorf("the call under way: %v", err)
		}
		if took < 14*time.Second || took > 24*time.Second {
			t.Errorf("the hang was noticed after %v", took)
		}
		if id, err := try(t.Context(), s, 0, 0); id != "2" || err != nil {
			t.Errorf("the next call: %q, %v", id, err)
		}
		w.want("up 1", "down 1", "up 2")
	})
}

func TestProbeUnderWayHidesNoEnd(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, end := range map[string]func(t *testing.T, w *world, s *Supervisor){
		"a crash": func(_ *testing.T, w *world, _ *Supervisor) { w.latest().crash() },
		"a replacement": func(t *testing.T, w *world, s *Supervisor) {
			w.launching = nil
			if err := s.Replace(t.Context(), host.Config{}); err != nil {
				t.Error(err)
			}
		},
		"a close": func(t *testing.T, _ *world, s *Supervisor) {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, launching: func(_ int, f *fake) error { f.ping = hang; return nil }}
				s := w.start(Config{Probe: Probe{Interval: time.Second, Timeout: time.Hour}})
				pass(time.Minute)
				first, began := w.latest(), time.Now()
				end(t, w, s)
				<-first.done
				synctest.Wait()
				if len(w.kinds()) < 2 || time.Since(began) > time.Second {
					t.Errorf("events after %v: %q", time.Since(began), w.kinds())
				}
			})
		})
	}
}

func TestLostConnectionCausesAProbe(t *testing.T) {
	for name, tc := range map[string]struct {
		probe error
		want  []string
	}{
		"that passes": {nil, []string{"up 1"}},
		"that fails":  {core.ErrConnectionLost, []string{"up 1", "down 1", "up 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t}
				w.launching = func(number int, f *fake) error {
					if number == 1 {
						f.ping = func(context.Context) error { return tc.probe }
					}
					return nil
				}
				s := w.start(Config{Probe: Probe{Interval: -1}})
				began := time.Now()
				calls := 0
				err := s.do(t.Context(), 1, func(context.Context, *process) error {
					if calls++; calls == 1 {
						return core.ErrConnectionLost // and the process lives
					}
					return nil
				})
				if err != nil || calls != 2 || time.Since(began) > time.Second {
					t.Errorf("%d calls in %v: %v", calls, time.Since(began), err)
				}
				w.want(tc.want...)
			})
		})
	}
}

func TestClientIsMadeAnewAfterALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{})
		made := 0
		use := func(fails error) {
			t.Helper()
			err := s.do(t.Context(), 0, func(ctx context.Context, p *process) error {
				_, err := p.dispense(ctx, "greeter", func(context.Context, *host.Client) (any, error) { made++; return made, nil })
				return errors.Join(err, fails)
			})
			if !errors.Is(err, fails) {
				t.Error(err)
			}
		}
		use(nil)
		use(nil)
		use(core.ErrConnectionLost) // and the process lives, with a new connection
		use(nil)
		if made != 2 {
			t.Errorf("%d clients were made, want one for each connection", made)
		}
		w.want("up 1")
	})
}

func TestUnpreparedProcessCountsAsAFailedLaunch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		s := w.start(Config{Prepare: w.failOn(2)})
		w.latest().crash()
		if id, err := try(t.Context(), s, 0, 0); id != "3" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
		w.want("up 1", "down 1", "launch failed", "up 3")
		if !w.fakes[1].stopped {
			t.Error("the unprepared process runs on")
		}
	})
}

func TestLatePreparationHasItsRemedyInTheHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late error
		prepared := 0
		w := &world{t: t}
		s := w.start(Config{Prepare: func(ctx context.Context, _ *host.Client) error {
			if prepared++; prepared != 2 {
				return nil
			}
			<-ctx.Done()
			late = context.Cause(ctx)
			return late
		}})
		w.latest().crash()
		if id, err := try(t.Context(), s, 0, 0); id != "3" || err != nil {
			t.Errorf("got %q, %v", id, err)
		}
		if late == nil || strings.Contains(late.Error(), "Timeouts") || !strings.Contains(core.Hint(late), "Launch.Timeouts.Start") {
			t.Errorf("got %v, with the hint %q", late, core.Hint(late))
		}
	})
}
