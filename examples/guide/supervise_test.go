package guide_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/supervise"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
)

// supervised is a greeter for the whole application. Its callers do not see restarts.
type supervised struct {
	plugin  *supervise.Supervisor
	greeter supervise.Handle[greeter.Greeter]
}

func openSupervised(ctx context.Context, cfg host.Config) (*supervised, error) {
	s, err := supervise.Start(ctx, supervise.Config{Launch: cfg})
	if err != nil {
		return nil, err // the first launch is not repeated
	}
	g, err := supervise.Dispense(ctx, s, greeter.Plugin)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &supervised{s, g}, nil
}

// Greet may run twice, so it is idempotent: a crash does not fail it.
func (s *supervised) Greet(ctx context.Context, name string) (string, error) {
	return supervise.Call(ctx, s.greeter.Idempotent(), func(ctx context.Context, g greeter.Greeter) (string, error) {
		return g.Greet(ctx, name)
	})
}

func (s *supervised) Close() error { return s.plugin.Close() }

var _ greeter.Greeter = (*supervised)(nil)

// kill ends the plugin's process from outside, as an accident would.
func kill(ctx context.Context, s *supervise.Supervisor) error {
	return s.Do(ctx, func(_ context.Context, client *host.Client) error {
		pid, err := strconv.Atoi(client.ID())
		if err != nil {
			return err
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		return process.Kill()
	})
}

// greeterConfig describes the plugin of these tests.
func greeterConfig(t *testing.T) host.Config {
	t.Helper()
	return host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Command(pluginPath(t)),
		AutoMTLS:  host.MTLSRequired,
		Timeouts:  host.Timeouts{Stop: 20 * time.Second}, // the race detector alone takes a second to leave
	}
}

func TestSupervisedPluginSurvivesAKill(t *testing.T) {
	plugintest.NoLeaks(t)
	g, err := openSupervised(t.Context(), greeterConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	for range 3 {
		if err := kill(t.Context(), g.plugin); err != nil {
			t.Fatal(err)
		}
		if greeting, err := g.Greet(t.Context(), "Ada"); greeting != "Good day, Ada" || err != nil {
			t.Errorf("got %q, %v", greeting, err)
		}
	}
}

func TestSupervisedPluginOverGRPCSurvivesACrash(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := storeConfig(t)
	cfg.Timeouts.Stop = 20 * time.Second
	s, err := supervise.Start(t.Context(), supervise.Config{Launch: cfg, Spare: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	store, err := supervise.Dispense(t.Context(), s, storeService)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key string) error {
		return store.Do(t.Context(), func(ctx context.Context, c kvv1.StoreServiceClient) error {
			_, err := c.Get(ctx, &kvv1.GetRequest{Key: key})
			return err
		})
	}
	var exit *core.ExitError
	if err := get("crash"); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("the call that crashed the plugin: %v", err)
	}
	if err := get("anything"); err == nil || errors.As(err, &exit) {
		t.Errorf("the next call: %v, want the plugin's own answer", err)
	}
}

// upgrade replaces the running program by a newer one, while callers use the plugin.
func upgrade(ctx context.Context, s *supervise.Supervisor, cfg host.Config, program string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // for the launch, and then for the calls under way
	defer cancel()
	cfg.Command.Path = program
	if err := s.Replace(ctx, cfg); err != nil {
		return fmt.Errorf("the old version goes on: %w", err)
	}
	return nil
}

func TestUpgradeFailsNoCall(t *testing.T) {
	plugintest.NoLeaks(t)
	s, err := supervise.Start(t.Context(), supervise.Config{Launch: greeterConfig(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	greeters, err := supervise.Dispense(t.Context(), s, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	const callers = 8
	stop, failed := make(chan struct{}), make(chan error, callers)
	for range callers {
		go func() {
			for {
				select {
				case <-stop:
					failed <- nil
					return
				default:
				}
				greeting, err := supervise.Call(t.Context(), greeters, func(ctx context.Context, g greeter.Greeter) (string, error) {
					return g.Greet(ctx, "Ada")
				})
				if greeting != "Good day, Ada" || err != nil {
					failed <- fmt.Errorf("got %q: %w", greeting, err)
					return
				}
			}
		}()
	}
	for range 3 {
		if err := upgrade(t.Context(), s, greeterConfig(t), pluginPath(t)); err != nil {
			t.Error(err)
		}
	}
	missing := "no such program"
	if runtime.GOOS == "windows" {
		missing += ".exe"
	}
	if err := upgrade(t.Context(), s, greeterConfig(t), missing); err == nil {
		t.Error("replaced by nothing")
	}
	close(stop)
	for range callers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// settings shows the choices of a host with high demands.
func settings(cfg host.Config, configure func(ctx context.Context, client *host.Client) error, events chan<- supervise.Event) supervise.Config {
	return supervise.Config{
		Launch:  cfg,
		Prepare: configure, // each new process, before its first call
		Restart: supervise.Restart{MinPause: 50 * time.Millisecond, MaxPause: time.Minute, Limit: 20},
		Probe:   supervise.Probe{Interval: 5 * time.Second, Timeout: 2 * time.Second, Threshold: 3},
		Spare:   true,            // a second process takes over without a launch
		Wait:    2 * time.Second, // a call fails if no process comes up until then
		Drain:   time.Minute,     // for the calls under way on a replaced process
		OnEvent: func(e supervise.Event) { events <- e },
	}
}

func TestSettingsPrepareEachProcess(t *testing.T) {
	plugintest.NoLeaks(t)
	events := make(chan supervise.Event, 64)
	prepared := make(chan string, 64)
	s, err := supervise.Start(t.Context(), settings(greeterConfig(t), func(_ context.Context, client *host.Client) error {
		prepared <- client.ID()
		return nil
	}, events))
	if err != nil {
		t.Fatal(err)
	}
	await := func(kind supervise.EventKind) supervise.Event {
		for e := range events {
			if e.Kind == kind {
				return e
			}
		}
		return supervise.Event{}
	}
	first, spare := await(supervise.EventUp), await(supervise.EventSpareUp)
	if err := kill(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if up := await(supervise.EventUp); up.ID != spare.ID {
		t.Errorf("%s takes the calls, want the spare %s", up.ID, spare.ID)
	}
	if got := []string{<-prepared, <-prepared}; got[0] != first.ID || got[1] != spare.ID {
		t.Errorf("prepared %q, want %s and %s", got, first.ID, spare.ID)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
