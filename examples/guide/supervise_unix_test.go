//go:build unix

package guide_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/supervise"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

func TestHungPluginIsRestarted(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := greeterConfig(t)
	cfg.Timeouts.Stop = 100 * time.Millisecond // it will not answer
	downs := make(chan supervise.Event, 16)
	s, err := supervise.Start(t.Context(), supervise.Config{
		Launch:  cfg,
		Probe:   supervise.Probe{Interval: 50 * time.Millisecond, Timeout: 2 * time.Second, Threshold: 2},
		Restart: supervise.Restart{Limit: -1},
		Repeats: 1000, // a busy machine may fail the probes of a sound process too
		OnEvent: func(e supervise.Event) {
			if e.Kind == supervise.EventDown && len(downs) < cap(downs) {
				downs <- e
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		var stop *host.StopError
		if err := s.Close(); err != nil && !errors.As(err, &stop) { // a slow end is no fault of it
			t.Error(err)
		}
	}()
	greeters, err := supervise.Dispense(t.Context(), s, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Do(t.Context(), func(_ context.Context, client *host.Client) error {
		pid, err := strconv.Atoi(client.ID())
		if err != nil {
			return err
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		return process.Signal(syscall.SIGSTOP)
	})
	if err != nil {
		t.Fatal(err)
	}
	greeting, err := supervise.Call(t.Context(), greeters.Idempotent(), func(ctx context.Context, g greeter.Greeter) (string, error) {
		return g.Greet(ctx, "Ada")
	})
	if greeting != "Good day, Ada" || err != nil {
		t.Errorf("got %q, %v", greeting, err)
	}
	var unhealthy *supervise.UnhealthyError
	if down := <-downs; !errors.As(down.Err, &unhealthy) {
		t.Errorf("the reason: %v", down.Err)
	}
}
