package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/supervise"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvgrpc"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvnetrpc"
	"github.com/jackfield-go/jackfield/examples/grpc/memory"
)

const (
	// durationVariable is the time of the long form.
	durationVariable = "JACKFIELD_SOAK"
	// shortTime is the time of the short form, for each transport.
	shortTime = 3 * time.Second
	// patience bounds what must not hang.
	patience = time.Minute
	callers  = 8
)

var transports = map[core.Protocol]core.Transport{
	core.NetRPC: kvnetrpc.Transport,
	core.GRPC:   kvgrpc.Transport,
}

// protocolVariable is the plugin's transport.
const protocolVariable = "SOAK_PROTOCOL"

// TestMain serves a store if a test has started this binary as its plugin.
func TestMain(m *testing.M) {
	if os.Getenv(kv.Handshake.MagicCookieKey) == "" {
		os.Exit(m.Run())
	}
	plugin.Serve(plugin.Config{
		Handshake:  kv.Handshake,
		Versions:   kv.Versions(transports[core.Protocol(os.Getenv(protocolVariable))]),
		Implements: kv.Plugin.Bind(memory.New(slog.New(slog.DiscardHandler))),
	})
}

func duration(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(durationVariable)
	if text == "" {
		return shortTime
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", durationVariable, err)
	}
	return d / time.Duration(len(transports))
}

func config(t *testing.T, protocol core.Protocol, tls host.MTLS) host.Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := host.Command(self)
	command.Env = []string{protocolVariable + "=" + string(protocol), "GORACE=atexit_sleep_ms=0"}
	return host.Config{
		Handshake: kv.Handshake,
		Versions:  kv.Versions(transports[protocol]),
		Command:   command,
		AutoMTLS:  tls,
		Logger:    slog.New(slog.DiscardHandler), // kills are no news here
		Timeouts:  host.Timeouts{Start: patience, Stop: patience, Kill: patience},
	}
}

// value is the value that every process has under a key, by prepare.
func value(key string) string { return "the value of " + key }

func keys() []string {
	var names []string
	for i := range callers {
		names = append(names, "key "+strconv.Itoa(i))
	}
	return names
}

// prepare gives a new process its state.
func prepare(ctx context.Context, client *host.Client) error {
	store, err := host.Dispense(ctx, client, kv.Plugin)
	for _, key := range keys() {
		if err == nil {
			err = store.Put(ctx, key, []byte(value(key)))
		}
	}
	return err
}

func TestCallsSurviveRandomKills(t *testing.T) {
	for protocol, tls := range map[core.Protocol]host.MTLS{core.NetRPC: host.MTLSOff, core.GRPC: host.MTLSRequired} {
		t.Run(string(protocol), func(t *testing.T) {
			plugintest.NoLeaks(t)
			ups := make(chan supervise.Event, 1)
			s, err := supervise.Start(t.Context(), supervise.Config{
				Launch:  config(t, protocol, tls),
				Prepare: prepare,
				Restart: supervise.Restart{MinPause: time.Millisecond, MaxPause: 10 * time.Millisecond, Limit: -1},
				Probe:   supervise.Probe{Timeout: patience},
				Spare:   true,
				Repeats: 1000,
				Drain:   -1,
				OnEvent: func(e supervise.Event) { keep(ups, e) },
			})
			if err != nil {
				t.Fatal(err)
			}
			r := &run{supervisor: s, ups: ups}
			if r.store, err = supervise.Dispense(t.Context(), s, kv.Plugin); err != nil {
				t.Fatal(err)
			}
			r.until(t, duration(t), func(ctx context.Context) error { return s.Replace(ctx, config(t, protocol, tls)) })
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d answers, %d calls lost to kills, %d kills, %d replacements",
				r.answers.Load(), r.lost.Load(), r.kills, r.replacements)
		})
	}
}

// keep keeps the latest process in service.
func keep(ups chan supervise.Event, e supervise.Event) {
	if e.Kind != supervise.EventUp {
		return
	}
	select {
	case <-ups:
	default:
	}
	ups <- e // events come one at a time
}

// run is a plugin under load.
type run struct {
	supervisor *supervise.Supervisor
	store      supervise.Handle[kv.Store]
	ups        <-chan supervise.Event

	answers, lost       atomic.Int64
	kills, replacements int
}

// until calls the plugin from all sides, kills its processes and replaces them, for a time.
func (r *run) until(t *testing.T, length time.Duration, replace func(context.Context) error) {
	t.Helper()
	deadline := time.Now().Add(length)
	var work sync.WaitGroup
	var over atomic.Bool
	for _, key := range keys() {
		work.Go(func() {
			for n := 0; n < 2 || !over.Load(); n++ { // the second call must succeed
				if err := r.call(t, key, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for time.Now().Before(deadline) || r.kills == 0 || r.replacements == 0 { // a busy machine has both too
		if err := r.disturb(t, replace); err != nil {
			t.Error(err)
			break
		}
	}
	over.Store(true)
	work.Wait()
	if _, err := r.up(t.Context()); err != nil { // otherwise the close meets a killed process
		t.Error(err)
	}
}

// up waits for a process in service since the last disturbance.
func (r *run) up(ctx context.Context) (supervise.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case up := <-r.ups:
		return up, nil
	case <-ctx.Done():
		return supervise.Event{}, fmt.Errorf("wait for a process: %w", ctx.Err())
	}
}

// call makes a call that must succeed, and each fourth time one that a kill may take.
func (r *run) call(t *testing.T, key string, n int) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	store := r.store.Idempotent()
	if n%4 == 0 {
		store = r.store
	}
	answer, err := supervise.Call(ctx, store, func(ctx context.Context, s kv.Store) ([]byte, error) { return s.Get(ctx, key) })
	switch {
	case err == nil && string(answer) != value(key):
		return fmt.Errorf("wrong answer %q for %q", answer, key)
	case err == nil:
		r.answers.Add(1)
		return nil
	case n%4 == 0 && isLoss(err):
		r.lost.Add(1)
		return nil
	default:
		return fmt.Errorf("call %d for %q: %w", n, key, err)
	}
}

// isLoss reports whether an error names the loss of the process as the reason.
func isLoss(err error) bool {
	var exit *core.ExitError
	return errors.As(err, &exit) || errors.Is(err, core.ErrConnectionLost)
}

// disturb waits for a process in service, and kills or replaces it.
func (r *run) disturb(t *testing.T, replace func(context.Context) error) error {
	up, err := r.up(t.Context())
	if err != nil {
		return err
	}
	time.Sleep(rand.N(20 * time.Millisecond)) // kills come at any moment of a call
	if rand.IntN(8) == 0 || r.replacements == 0 {
		r.replacements++
		return replace(t.Context())
	}
	r.kills++
	return killProcess(up.ID)
}

// killProcess kills a process, unless it has ended.
func killProcess(id string) error {
	pid, err := strconv.Atoi(id)
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
