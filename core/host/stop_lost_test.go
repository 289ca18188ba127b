package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// refusing is a session whose Quit fails.
type refusing struct {
	core.Session

	err error
}

func (r refusing) Quit(context.Context) error { return r.err }

// unaskable launches a role and makes its session unfit for Quit: by the error of
// Quit, or by the loss of the connection where that is nil.
func unaskable(t *testing.T, cfg host.Config, quit error) *host.Client {
	t.Helper()
	var lost core.Session
	cfg.Versions = core.Versions{1: {lateTransport{
		Transport: new(faketransport.Transport),
		session: func(session core.Session, _ core.HostLink) core.Session {
			lost = session
			if quit != nil {
				return refusing{session, quit}
			}
			return session
		},
	}}}
	client := launch(t, cfg)
	if quit == nil {
		_ = lost.Close()
		<-lost.Done()
	}
	return client
}

func TestStopOfAPluginThatCannotBeAskedSendsSIGTERM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where signals can be sent")
	}
	for name, quit := range map[string]error{
		"the connection is lost":    nil,
		"Quit finds it lost":        fmt.Errorf("quit: %w: EOF", core.ErrConnectionLost),
		"the plugin has no Quit":    core.ErrCannotQuit,
		"has none, in other words":  fmt.Errorf("controller: %w", core.ErrCannotQuit),
		"lost, and not yet noticed": errors.Join(errors.New("broken pipe"), core.ErrConnectionLost),
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			logged := newRecords()
			cfg := config(t, "serve", "")
			cfg.Logger, cfg.Timeouts.Stop = logged.logger(), hang
			client := unaskable(t, cfg, quit)
			begin := time.Now()
			err := client.Close()
			if took := time.Since(begin); took > patience {
				t.Errorf("Close took %v", took)
			}
			if ended := logged.from(slog.LevelDebug); !hasStatus(ended, "exit status 0") {
				t.Errorf("the plugin did not leave in order: %+v", ended)
			}
			if errors.Is(quit, core.ErrCannotQuit) {
				if err != nil {
					t.Errorf("Close: %v", err)
				}
				return
			}
			var stop *host.StopError
			if !errors.As(err, &stop) || !stop.Left || !errors.Is(err, core.ErrConnectionLost) {
				t.Fatalf("Close: %v", err)
			}
			mention(t, err, "plugin tester could not be asked to leave", "the connection was lost", "it left on SIGTERM")
		})
	}
}

// agreeing is a session whose Quit takes the loss of its connection for the plugin's agreement.
type agreeing struct{ core.Session }

func (a agreeing) Quit(context.Context) error {
	_ = a.Close()
	return nil
}

func TestStopSendsSIGTERMToAPluginThatAgreesAndStays(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where signals can be sent")
	}
	plugintest.NoLeaks(t)
	logged := newRecords()
	cfg := config(t, "serve", "")
	cfg.Logger = logged.logger()
	cfg.Timeouts.Stop, cfg.Timeouts.Terminate = 20*time.Millisecond, hang
	cfg.Versions = core.Versions{1: {lateTransport{
		Transport: new(faketransport.Transport),
		session:   func(s core.Session, _ core.HostLink) core.Session { return agreeing{s} },
	}}}
	err := launch(t, cfg).Close()
	var stop *host.StopError
	if !errors.As(err, &stop) || !stop.Left || errors.Is(err, core.ErrConnectionLost) {
		t.Fatalf("Close: %v", err)
	}
	mention(t, err, "plugin tester did not leave when asked", "after 20ms", "Config.Timeouts.Stop allows for more time", "it left on SIGTERM")
	if ended := logged.from(slog.LevelDebug); !hasStatus(ended, "exit status 0") {
		t.Errorf("the plugin did not leave in order: %+v", ended)
	}
}

func TestStopWithoutATerminateTimeKillsAfterTheRequest(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Timeouts.Stop, cfg.Timeouts.Terminate = hang, -1
	err := unaskable(t, cfg, nil).Close()
	var stop *host.StopError
	if !errors.As(err, &stop) || stop.Left {
		t.Fatalf("Close: %v", err)
	}
}

func hasStatus(records []record, status string) bool {
	for _, r := range records {
		if r.attrs["status"] == status {
			return true
		}
	}
	return false
}

func TestStopKillsAPluginThatCannotBeAskedAndStaysOnSIGTERM(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := config(t, "stubborn", "")
	cfg.Timeouts.Stop, cfg.Timeouts.Terminate = 10*time.Millisecond, 20*time.Millisecond
	client := unaskable(t, cfg, nil)
	err := client.Close()
	var stop *host.StopError
	if !errors.As(err, &stop) || stop.Left || !errors.Is(err, core.ErrConnectionLost) {
		t.Fatalf("Close: %v", err)
	}
	mention(t, err, "plugin tester could not be asked to leave and was killed", "the connection was lost")
	if runtime.GOOS != "windows" {
		mention(t, err, "SIGTERM did not end it", "it was still there 20ms later", "Config.Timeouts.Terminate allows for more time")
	}
}
