//go:build unix

package faults

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// patience limits operations that must not hang.
const patience = 10 * time.Second

// pluginRoles are the plugins without a fault, by library: our host runs both.
func pluginRoles() map[string]string {
	return map[string]string{"go-plugin's plugin": "goplugin/plugin", "our plugin": "jackfield/plugin"}
}

// eachPlugin runs a test on each of pluginRoles.
func eachPlugin(t *testing.T, test func(t *testing.T, role string)) {
	t.Helper()
	for name, role := range pluginRoles() {
		t.Run(name, func(t *testing.T) { test(t, role) })
	}
}

// playJackfieldPlugin is playPlugin on Jackfield.
func playJackfieldPlugin(w world, _ string) int {
	stdout, stderr, factory := os.Stdout, os.Stderr, &shared.Factory{Version: 1}
	server := func(broker *netrpc.Broker, _ ourprobe.Suite) (any, error) {
		server := factory.New(ourprobe.Adapt(context.Background(), broker))
		return &faulty{Server: server, world: w, stdout: stdout, stderr: stderr}, nil
	}
	plugin.Serve(plugin.Config{
		Handshake:  ourprobe.Handshake(),
		Versions:   core.Versions{1: {netrpc.New(netrpc.Carry(ourprobe.Plugin, server, nil))}},
		Implements: ourprobe.Plugin.Bind(ourprobe.Suite{}),
	})
	return 0
}

// playJackfieldBadLog is playBadLog on Jackfield.
func playJackfieldBadLog(w world, line string) int {
	fmt.Fprintln(os.Stderr, line)
	return playJackfieldPlugin(w, "")
}

// ourSubject is one plugin, seen from our host.
type ourSubject struct {
	*host.Client

	*ourprobe.Probe

	log *ourLog
}

// ourLog holds our host's log.
type ourLog struct {
	loud lockedBuffer // above debug
	all  lockedBuffer
}

// jackfield configures our host for this program in a role.
func (w world) jackfield(t *testing.T, role, argument string) (host.Config, *ourLog) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := new(ourLog)
	t.Cleanup(func() {
		if text := log.all.String(); t.Failed() || strings.Contains(text, "DATA RACE") {
			t.Errorf("our host's log:\n%s", text)
		}
	})
	return host.Config{
		Handshake: ourprobe.Handshake(),
		Versions:  ourprobe.Versions(oneVersion()),
		Command: host.Cmd{
			Path:    self,
			Inherit: host.InheritOnly(), // the role's environment is complete
			Env:     w.environment(role, argument),
		},
		Sockets: host.Sockets{Dirs: []string{w.temporary()}},
		Outputs: host.Outputs{PlainLevel: slog.LevelDebug}, // for the plugin's own text
		Logger:  slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: core.LevelTrace})),
	}, log
}

// launch launches this program in a role with our host and dispenses the probe. The end of
// the test kills the plugin.
func (w world) launch(t *testing.T, role, argument string) *ourSubject {
	t.Helper()
	cfg, log := w.jackfield(t, role, argument)
	s := launchConfig(t, cfg)
	s.log = log
	return s
}

// launchConfig is launch for a configuration.
func launchConfig(t *testing.T, cfg host.Config) *ourSubject {
	t.Helper()
	client, err := host.Launch(bounded(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Kill(bounded(t)); err != nil {
			t.Error(err)
		}
	})
	probe, err := host.Dispense(bounded(t), client, ourprobe.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	return &ourSubject{Client: client, Probe: probe}
}

// expectAlive checks that the plugin answers.
func (s *ourSubject) expectAlive(t *testing.T) {
	t.Helper()
	if got, err := s.Echo(bounded(t), "still here"); err != nil || got != "still here" {
		t.Errorf("echo: %q, %v", got, err)
	}
}

// closeInOrder ends the plugin. The plugin must leave by itself, without log output.
func (s *ourSubject) closeInOrder(t *testing.T) {
	t.Helper()
	if err := s.Stop(bounded(t)); err != nil {
		t.Errorf("close: %v", err)
	}
	if text := s.log.loud.String(); text != "" {
		t.Errorf("logged above debug: %s", text)
	}
}

// expectGone checks that the plugin left no files.
func (w world) expectGone(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(w.temporary())
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		t.Errorf("left behind: %s", entry.Name())
	}
}

// bounded returns a context for operations that must not hang. It also works at the end of
// a test.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// Write takes one record from slog's text handler.
func (l *ourLog) Write(record []byte) (int, error) {
	if !bytes.Contains(record, []byte(" level=DEBUG")) {
		_, _ = l.loud.Write(record)
	}
	return l.all.Write(record)
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

// Write appends data.
func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(data)
}

// String returns the content so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}
