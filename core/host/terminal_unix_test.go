//go:build linux || darwin

package host_test

import (
	"context"
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// stuckHandler does not get done with a record.
type stuckHandler struct {
	slog.Handler

	reached, release chan struct{}
}

func (h stuckHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h stuckHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "stuck" {
		close(h.reached)
		<-h.release
	}
	return nil
}

// The system has no process with that ID any more, and the client still waits for the log.
func TestWithTerminalIsAnErrorDuringTheEnd(t *testing.T) {
	stuck := stuckHandler{newRecords().logger().Handler(), make(chan struct{}), make(chan struct{})}
	defer close(stuck.release)
	cfg := config(t, "serve", "")
	cfg.Logger, cfg.Timeouts.ExitGrace = slog.New(stuck), 500*time.Millisecond
	client := launch(t, cfg)
	if _, err := tryCall(within(t), client, "log", "stuck\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stuck.reached:
	case <-within(t).Done():
		t.Fatal("nothing is logged")
	}
	number := pid(t, client)
	if err := syscall.Kill(number, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for look := time.NewTicker(time.Millisecond); !gone(number); {
		select {
		case <-look.C:
		case <-within(t).Done():
			t.Fatal("the plugin does not end")
		}
	}
	err := client.WithTerminal(within(t), func(context.Context) error { return errors.New("lent") })
	if !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("got %v", err)
	}
}
