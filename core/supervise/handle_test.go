package supervise_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/supervise"
)

// patience bounds what must not hang.
const patience = 20 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// start starts a supervisor, and closes it with the test.
func start(t *testing.T, cfg supervise.Config) *supervise.Supervisor {
	t.Helper()
	s, err := supervise.Start(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func greet(ctx context.Context, g *faketransport.Client) (string, error) { return g.Call(ctx, "Ada") }

func TestHandleAsksEachProcessOnceForAClient(t *testing.T) {
	plugintest.NoLeaks(t)
	s := start(t, supervise.Config{Launch: greeterPlugin("Hello")})
	greeters, err := supervise.Dispense(within(t), s, greeter)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[*faketransport.Client]int)
	for range 2 {
		var mu sync.Mutex
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				err := greeters.Do(within(t), func(ctx context.Context, g *faketransport.Client) error {
					mu.Lock()
					seen[g]++
					mu.Unlock()
					_, err := greet(ctx, g)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		if err := s.Replace(within(t), greeterPlugin("Hi")); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d clients for two processes", len(seen))
	}
}

func TestDispenseNamesAnUnknownPlugin(t *testing.T) {
	plugintest.NoLeaks(t)
	s := start(t, supervise.Config{Launch: greeterPlugin("Hello")})
	var unknown *core.UnknownPluginError
	if _, err := supervise.Dispense(within(t), s, core.Define[*faketransport.Client]("nobody")); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	// The failed handle must not keep a new process from service.
	if err := s.Replace(within(t), greeterPlugin("Hi")); err != nil {
		t.Error(err)
	}
}

func TestReplaceRefusesAProcessWithoutAHandlesPlugin(t *testing.T) {
	plugintest.NoLeaks(t)
	s := start(t, supervise.Config{Launch: greeterPlugin("Hello")})
	greeters, err := supervise.Dispense(within(t), s, greeter)
	if err != nil {
		t.Fatal(err)
	}
	other := greeterPlugin("Hi")
	other.Runner = func(cmd runner.Command) (runner.Runner, error) {
		return plugintest.NewPlugin(cmd, plugin.Config{
			Handshake: handshake,
			Versions:  core.Versions{1: {&faketransport.Transport{Objects: map[string]faketransport.Object{"other": nil}}}},
		}), nil
	}
	var unknown *core.UnknownPluginError
	if err := s.Replace(within(t), other); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if got, err := supervise.Call(within(t), greeters, greet); got != "Hello, Ada!" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPrepareSeesEachProcessFirst(t *testing.T) {
	plugintest.NoLeaks(t)
	var prepared atomic.Int32
	s := start(t, supervise.Config{
		Launch: greeterPlugin("Hello"),
		Prepare: func(ctx context.Context, client *host.Client) error {
			g, err := host.Dispense(ctx, client, greeter)
			if err == nil {
				_, err = greet(ctx, g)
			}
			prepared.Add(1)
			return err
		},
	})
	if err := s.Replace(within(t), greeterPlugin("Hi")); err != nil {
		t.Fatal(err)
	}
	if got := prepared.Load(); got != 2 {
		t.Errorf("prepared %d processes", got)
	}
}

func TestSeqEndsWithTheCallsError(t *testing.T) {
	plugintest.NoLeaks(t)
	s := start(t, supervise.Config{Launch: greeterPlugin("Hello")})
	greeters, err := supervise.Dispense(within(t), s, greeter)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no more")
	list := supervise.Seq(within(t), greeters, func(context.Context, *faketransport.Client) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			_ = yield(1, nil) && yield(2, nil) && yield(0, failed)
		}
	})
	var got []int
	for n, err := range list {
		if err != nil {
			if err != failed {
				t.Error(err)
			}
			break
		}
		got = append(got, n)
	}
	if len(got) != 2 {
		t.Errorf("got %v", got)
	}
	for range list { // left early
		break
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, err := range list {
		if !errors.Is(err, core.ErrClosed) {
			t.Errorf("after the close: %v", err)
		}
	}
}

func TestStartAllStartsTheOthersAndKeepsToItsBound(t *testing.T) {
	plugintest.NoLeaks(t)
	var now, most atomic.Int32
	var configs []supervise.Config
	for range 6 {
		launch := greeterPlugin("Hello")
		run := launch.Runner
		launch.Runner = func(cmd runner.Command) (runner.Runner, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			return run(cmd)
		}
		configs = append(configs, supervise.Config{Launch: launch})
	}
	configs[3].Launch.Runner = func(runner.Command) (runner.Runner, error) { return nil, errors.New("broken") }
	group, err := supervise.StartAll(within(t), 2, configs...)
	var failed *host.LaunchError
	if !errors.As(err, &failed) {
		t.Errorf("got %v", err)
	}
	for i, s := range group {
		if (s == nil) != (i == 3) {
			t.Errorf("the plugin %d: %v", i, s)
		}
	}
	if most.Load() > 2 {
		t.Errorf("%d launches at a time", most.Load())
	}
	if err := group.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkDo(b *testing.B) {
	s, err := supervise.Start(b.Context(), supervise.Config{Launch: greeterPlugin("Hello")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	greeters, err := supervise.Dispense(b.Context(), s, greeter)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context()) // as in a server
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if err := greeters.Do(ctx, func(context.Context, *faketransport.Client) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
