package host_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

func TestCloseMayBeCalledAgainAndAtOnce(t *testing.T) {
	plugintest.NoLeaks(t)
	client := launch(t, config(t, "serve", ""))
	var closers sync.WaitGroup
	for range 8 {
		closers.Go(func() {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closers.Wait()
	<-client.Done()
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := client.Kill(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStopOfAPluginThatDoesNotLeaveKillsIt(t *testing.T) {
	plugintest.NoLeaks(t)
	logged := newRecords()
	cfg := config(t, "stubborn", "")
	cfg.Logger, cfg.Outputs.PlainLevel = logged.logger(), slog.LevelDebug // for the plugin's own text
	cfg.Timeouts.Stop = time.Millisecond
	client := launch(t, cfg)
	err := client.Close()
	var stop *host.StopError
	if !errors.As(err, &stop) || stop.Plugin != "tester" {
		t.Fatalf("got %v", err)
	}
	mention(t, err, "tester", "killed", "Config.Timeouts.Stop")
	<-client.Done()
	if loud := logged.from(slog.LevelInfo); len(loud) != 1 || loud[0].level != slog.LevelWarn {
		t.Errorf("logged %+v", loud)
	}
}

func TestStopKillsAtTheEndOfItsContext(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "stubborn", "")
	cfg.Logger, cfg.Timeouts.Stop = logged.logger(), hang
	client := launch(t, cfg)
	reason := errors.New("no more time")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		logged.await(t, "asked to leave")
		cancel(reason)
	}()
	err := client.Stop(ctx)
	var stop *host.StopError
	if !errors.As(err, &stop) || !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
	<-client.Done()
}

func TestStopTakesTheEarliestDeadline(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "stubborn", "")
	cfg.Logger, cfg.Timeouts.Stop = logged.logger(), hang
	client := launch(t, cfg)
	patient := make(chan error, 1)
	go func() { patient <- client.Close() }()
	logged.await(t, "asked to leave")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stop *host.StopError
	if err := client.Stop(ctx); !errors.As(err, &stop) || !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient one: %v", err)
	}
	if err := <-patient; !errors.As(err, &stop) {
		t.Errorf("the patient one: %v", err)
	}
}

func TestKillEndsAWaitingClose(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "stubborn", "")
	cfg.Logger, cfg.Timeouts.Stop = logged.logger(), hang
	client := launch(t, cfg)
	closed := make(chan error, 1)
	go func() { closed <- client.Close() }()
	logged.await(t, "asked to leave")
	if err := client.Kill(within(t)); err != nil {
		t.Error(err)
	}
	select {
	case <-closed:
	case <-within(t).Done():
		t.Error("Close still waits")
	}
}

func TestStopWithANegativeTimeoutKillsUnasked(t *testing.T) {
	cfg := config(t, "stubborn", "")
	cfg.Timeouts.Stop = -1
	var stop *host.StopError
	if err := launch(t, cfg).Close(); !errors.As(err, &stop) {
		t.Errorf("got %v", err)
	}
}

func TestCallsAfterTheEndSaySo(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(within(t)); err == nil {
		t.Error("an ended plugin answered a ping")
	}
	if _, err := client.Dispense(within(t), "echo"); err == nil {
		t.Error("an ended plugin was dispensed")
	}
}

func TestCrashIsReportedByTheCallTheClientAndTheLog(t *testing.T) {
	plugintest.NoLeaks(t)
	logged := newRecords()
	cfg := config(t, "serve", "")
	cfg.Logger, cfg.Timeouts.ExitGrace = logged.logger(), patience
	client := launch(t, cfg)
	_, err := tryCall(within(t), client, "exit", "9")
	var exit *core.ExitError
	if !errors.Is(err, core.ErrConnectionLost) || !errors.As(err, &exit) || exit.Code != 9 {
		t.Errorf("the call: %v", err)
	}
	<-client.Done()
	if !errors.As(client.Err(), &exit) || exit.Code != 9 {
		t.Errorf("the client: %v", client.Err())
	}
	loud := logged.from(slog.LevelWarn)
	if len(loud) != 1 || loud[0].level != slog.LevelError || loud[0].attrs["status"] != "exit status 9" {
		t.Errorf("logged %+v", loud)
	}
	if err := client.Close(); err != nil {
		t.Errorf("close of a crashed plugin: %v", err)
	}
	if client.Err() == nil {
		t.Error("Close made the client forget the crash")
	}
}

func TestCrashIsReportedOnceByTheCallAndTheLog(t *testing.T) {
	for method, head := range map[string]string{
		"panic":    "panic: out of tea",
		"overflow": "fatal error: stack overflow",
		"throw":    "fatal error: sync: unlock of unlocked mutex",
		"segv":     "SIGSEGV: segmentation violation",
	} {
		t.Run(method, func(t *testing.T) {
			if method == "segv" && runtime.GOOS == "windows" {
				t.Skip("only where signals can be sent")
			}
			logged := newRecords()
			cfg := config(t, "serve", "")
			cfg.Timeouts.ExitGrace = patience
			cfg.Logger = logged.logger()
			client := launch(t, cfg)
			_, err := tryCall(within(t), client, method, "out of tea")
			var exit *core.ExitError
			if !errors.As(err, &exit) || exit.DeathLine() != head || !strings.Contains(exit.Error(), head) {
				t.Errorf("got %v", err)
			}
			<-client.Done()
			var told []record
			for _, r := range logged.from(slog.LevelWarn) {
				if strings.Contains(r.message+r.attrs["stack"], head) {
					told = append(told, r)
				} else if r.attrs["status"] == "" {
					t.Errorf("another record: %+v", r)
				}
			}
			if len(told) != 1 || told[0].level != slog.LevelError || !strings.Contains(told[0].attrs["stack"], "goroutine ") {
				t.Errorf("%d records of the death: %.300v", len(told), told)
			}
		})
	}
}

func TestManyCrashesLeaveNothing(t *testing.T) { // F11
	plugintest.NoLeaks(t)
	dirs := shortDir(t)
	var clients sync.WaitGroup
	for range 10 {
		cfg := config(t, "serve", "")
		cfg.Sockets.Dirs = []string{dirs}
		client, err := host.Launch(within(t), cfg)
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			_, _ = tryCall(within(t), client, "exit", "1")
			<-client.Done()
		})
	}
	clients.Wait()
	empty(t, dirs)
}
