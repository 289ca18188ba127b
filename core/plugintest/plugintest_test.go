package plugintest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

var cookie = core.Handshake{MagicCookieKey: "PLUGINTEST", MagicCookieValue: "crumbs"}

func versions(objects map[string]faketransport.Object) core.Versions {
	return faketransport.Versions(&faketransport.Transport{Objects: objects}, 1)
}

func echo(_ context.Context, text string) (string, error) { return text, nil }

func configs() (host.Config, plugin.Config) {
	return host.Config{Handshake: cookie, Versions: versions(nil)},
		plugin.Config{Handshake: cookie, Versions: versions(map[string]faketransport.Object{"echo": echo})}
}

func TestLaunchRunsAPluginInThisProcess(t *testing.T) {
	plugintest.NoLeaks(t)
	for name, mode := range map[string]host.MTLS{"plain": host.MTLSOff, "mutual TLS": host.MTLSRequired} {
		t.Run(name, func(t *testing.T) {
			h, p := configs()
			h.AutoMTLS = mode
			client := plugintest.Launch(t, h, p)
			object, err := host.Dispense(t.Context(), client, core.Define[*faketransport.Client]("echo"))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := object.Call(t.Context(), "hello"); got != "hello" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestPluginsPrintsAndLogsReachTheHost(t *testing.T) {
	plugintest.NoLeaks(t)
	var stdout, stderr bytes.Buffer
	var log lockedBuffer
	h, p := configs()
	h.Outputs.PrintedStdout, h.Outputs.PrintedStderr = &stdout, &stderr
	h.Logger = slog.New(slog.NewTextHandler(&log, nil))
	client, started := plugintest.LaunchPlugin(t, h, p)
	started.Print("out")
	started.PrintError("err")
	started.Log("[WARN] careful\n")
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "out" || stderr.String() != "err" {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
	if !strings.Contains(log.String(), "level=WARN msg=careful") {
		t.Errorf("log %q", log.String())
	}
}

func TestSignalEndsThePlugin(t *testing.T) {
	plugintest.NoLeaks(t)
	h, p := configs()
	client, started := plugintest.LaunchPlugin(t, h, p)
	started.Signal(syscall.SIGTERM)
	<-client.Done()
	if err := started.Err(); err != nil {
		t.Error(err)
	}
	var exit *core.ExitError
	if !errors.As(client.Err(), &exit) || exit.Code != 0 {
		t.Errorf("the client: %v", client.Err())
	}
}

func TestKillEndsThePluginQuietly(t *testing.T) {
	plugintest.NoLeaks(t)
	var log lockedBuffer
	h, p := configs()
	h.Logger = slog.New(slog.NewTextHandler(&log, nil))
	client, _ := plugintest.LaunchPlugin(t, h, p)
	if err := client.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	if log.String() != "" {
		t.Errorf("logged %q", log.String())
	}
}

func TestLaunchInProcessReportsTheReason(t *testing.T) {
	plugintest.NoLeaks(t)
	h, p := configs()
	h.Handshake.MagicCookieValue = "biscuits"
	fake := &fatal{TB: t}
	done := make(chan struct{})
	go func() { // Fatalf ends its goroutine
		defer close(done)
		plugintest.Launch(fake, h, p)
	}()
	<-done
	if !strings.Contains(fake.text, "exit status 1") || !strings.Contains(fake.text, "not meant to be run by hand") {
		t.Errorf("said %q", fake.text)
	}
}

// fatal is a test whose failure is expected.
type fatal struct {
	testing.TB

	text string
}

func (f *fatal) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
