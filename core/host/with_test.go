package host_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

func TestWithClosesThePluginHoweverTheFunctionEnds(t *testing.T) {
	plugintest.NoLeaks(t)
	failed := errors.New("the work failed")
	crash := func(ctx context.Context, client *host.Client) error {
		_, err := tryCall(ctx, client, "exit", "3")
		<-client.Done()
		return err
	}
	cases := map[string]struct {
		f    func(ctx context.Context, client *host.Client) error
		want error // or value of the panic
	}{
		"nil":             {func(context.Context, *host.Client) error { return nil }, nil},
		"an error":        {func(context.Context, *host.Client) error { return failed }, failed},
		"its own close":   {func(_ context.Context, client *host.Client) error { return client.Close() }, nil},
		"its own kill":    {func(ctx context.Context, client *host.Client) error { return client.Kill(ctx) }, nil},
		"a crash":         {crash, core.ErrConnectionLost},
		"a panic":         {func(context.Context, *host.Client) error { panic(failed) }, failed},
		"runtime.Goexit":  {func(context.Context, *host.Client) error { runtime.Goexit(); return nil }, errGoexit},
		"a goroutine":     {leaveACall, nil},
		"an ended client": {func(_ context.Context, client *host.Client) error { _ = client.Close(); return failed }, failed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			var client *host.Client
			err := outcome(func() error {
				return host.With(within(t), config(t, "serve", ""), func(ctx context.Context, launched *host.Client) error {
					client = launched
					return c.f(ctx, launched)
				})
			})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			select {
			case <-client.Done():
			default:
				t.Error("the plugin runs on")
			}
		})
	}
}

var errGoexit = errors.New("the goroutine has ended")

// outcome returns the error of f, or that of its panic, or errGoexit.
func outcome(f func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = errGoexit
		defer func() {
			if value := recover(); value != nil {
				err = value.(error)
			}
		}()
		err = f()
	}()
	<-done
	return err
}

// leaveACall returns while a goroutine calls something that would take too long.
func leaveACall(ctx context.Context, client *host.Client) error {
	_, err := tryCall(ctx, client, "echo", "")
	go func() { _, _ = tryCall(ctx, client, "wait", "") }()
	return err
}

func TestWithJoinsTheErrorOfTheCloseToThatOfTheFunction(t *testing.T) {
	plugintest.NoLeaks(t)
	failed := errors.New("the work failed")
	cfg := config(t, "stubborn", "")
	cfg.Timeouts.Stop = time.Millisecond
	err := host.With(within(t), cfg, func(context.Context, *host.Client) error { return failed })
	var stop *host.StopError
	if !errors.Is(err, failed) || !errors.As(err, &stop) {
		t.Errorf("got %v, want both errors", err)
	}
}

func TestWithReportsACloseOfTheFunctionOnce(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := config(t, "stubborn", "")
	cfg.Timeouts.Stop = time.Millisecond
	err := host.With(within(t), cfg, func(_ context.Context, client *host.Client) error { return client.Close() })
	if _, direct := err.(*host.StopError); !direct {
		t.Errorf("got %T %v, want the *host.StopError itself", err, err)
	}
}

func TestWithDoesNotCallTheFunctionAfterAFailedLaunch(t *testing.T) {
	plugintest.NoLeaks(t)
	err := host.With(within(t), config(t, "exit", "3"), func(context.Context, *host.Client) error {
		t.Error("the function was called")
		return nil
	})
	var failure *host.LaunchError
	if !errors.As(err, &failure) {
		t.Errorf("got %v", err)
	}
}

func TestWithRefusesANilFunction(t *testing.T) {
	plugintest.NoLeaks(t)
	if err := host.With(within(t), config(t, "serve", ""), nil); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("got %v", err)
	}
}

func TestWithEndsItsContextWithTheCallers(t *testing.T) {
	plugintest.NoLeaks(t)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(within(t))
	var inner context.Context
	err := host.With(ctx, config(t, "serve", ""), func(ctx context.Context, client *host.Client) error {
		inner = ctx
		cancel(enough)
		<-ctx.Done()
		if got := call(t, client, "echo", "still here"); got != "still here" {
			t.Errorf("got %q", got)
		}
		return context.Cause(ctx)
	})
	if !errors.Is(err, enough) || err.Error() != enough.Error() {
		t.Errorf("got %v: the plugin leaves in order although the context has ended", err)
	}
	if inner.Err() == nil {
		t.Error("the function's context goes on")
	}
}
