package grpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
	"github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// peer is a plugin program for our host.
type peer struct {
	name    string
	program *string
	ours    bool
}

func plugins() []peer {
	return []peer{
		{name: "go-plugin", program: &programs.theirPlugin},
		{name: "jackfield", program: &programs.ourPlugin, ours: true},
	}
}

// eachPeer runs a test on every plugin program.
func eachPeer(t *testing.T, test func(*testing.T, peer)) {
	t.Helper()
	for _, p := range plugins() {
		t.Run(p.name, func(t *testing.T) { test(t, p) })
	}
}

// eachSubject runs a test on a plugin of every program, in every setting.
func eachSubject(t *testing.T, test func(*testing.T, *subject)) {
	t.Helper()
	eachPeer(t, func(t *testing.T, p peer) {
		eachSetting(t, func(t *testing.T, s setting) { test(t, p.launch(t, launch{setting: s})) })
	})
}

// launch lists the differences from a launch of version 1 on both sides.
type launch struct {
	setting

	host, plugin string // versions
	change       func(*host.Config)
}

// subject is a launched plugin with the observations of our host.
type subject struct {
	peer

	*host.Client

	probe          *ourprobe.Probe
	stdout, stderr *shared.Output
	log            *shared.Output // messages above debug
	debug          *shared.Output // all messages
	farewell       string
	temporary      string
}

// prepare makes the configuration of a launch. At the end of the test it checks for
// leftovers.
func (p peer) prepare(t *testing.T, l launch) (*subject, host.Config) {
	t.Helper()
	plugintest.NoLeaks(t)
	temporary := peers.ShortDir(t)
	t.Cleanup(func() { peers.ExpectEmpty(t, temporary) })
	u := &subject{
		peer:      p,
		stdout:    shared.NewOutput(),
		stderr:    shared.NewOutput(),
		log:       shared.NewOutput(),
		debug:     shared.NewOutput(),
		farewell:  filepath.Join(t.TempDir(), "farewell"),
		temporary: temporary,
	}
	t.Cleanup(func() {
		if strings.Contains(u.debug.String(), "DATA RACE") {
			t.Error("the plugin has a data race")
		}
		if t.Failed() {
			t.Log(peers.Tail(u.debug.String(), 200))
		}
	})
	hostVersions, err := shared.ParseVersions(l.host)
	if err != nil {
		t.Fatal(err)
	}
	var options []transportgrpc.Option
	if l.multiplexed {
		options = append(options, transportgrpc.WithMultiplexing())
	}
	command := host.Command(*p.program, "-versions", l.plugin, "-farewell", u.farewell)
	command.Env = []string{"TMPDIR=" + temporary, "GORACE=atexit_sleep_ms=0"}
	cfg := host.Config{
		Handshake: ourprobe.Handshake(),
		Versions:  ourprobe.Versions(hostVersions, options...),
		Command:   command,
		Sockets:   host.Sockets{Dirs: []string{temporary}},
		Outputs:   host.Outputs{PrintedStdout: u.stdout, PrintedStderr: u.stderr},
		Logger:    slog.New(slog.NewTextHandler(u, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if l.secured {
		cfg.AutoMTLS = host.MTLSRequired
	}
	if l.change != nil {
		l.change(&cfg)
	}
	return u, cfg
}

// Write takes one record of the log, in slog's text form.
func (u *subject) Write(record []byte) (int, error) {
	if !bytes.Contains(record, []byte(" level=DEBUG ")) {
		_, _ = u.log.Write(record)
	}
	return u.debug.Write(record)
}

// launch launches the plugin and dispenses the probe. The end of the test kills a plugin
// that is still open.
func (p peer) launch(t *testing.T, l launch) *subject {
	t.Helper()
	u, cfg := p.prepare(t, l)
	var err error
	if u.Client, err = host.Launch(within(t), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Kill(within(t)); err != nil {
			t.Error(err)
		}
	})
	if u.probe, err = host.Dispense(within(t), u.Client, ourprobe.Plugin); err != nil {
		t.Fatal(err)
	}
	return u
}

// expectAlive checks that the plugin answers calls.
func (u *subject) expectAlive(t *testing.T) {
	t.Helper()
	if err := u.echo(t, "still here"); err != nil {
		t.Error(err)
	}
}

// closeInOrder ends the plugin. It checks that the plugin left by itself, reached the end
// of its main, and caused no messages.
func (u *subject) closeInOrder(t *testing.T) {
	t.Helper()
	if err := u.Client.Stop(within(t)); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := u.Err(); err != nil {
		t.Errorf("after an orderly end: %v", err)
	}
	peers.ExpectFarewell(t, u.farewell, true)
	u.expectQuiet(t)
}

// expectQuiet checks that the log has no messages above debug. Exempt is yamux in a plugin
// on go-plugin: it reports unwritten data as an error.
func (u *subject) expectQuiet(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(u.log.String()) {
		if u.ours || !strings.Contains(line, "module=yamux") && !strings.Contains(line, "yamux: ") {
			t.Errorf("logged above debug: %s", line)
		}
	}
}

// within returns a context for operations that must not hang. It also works at the end of a
// test.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// scenarioHost adapts a subject to the scenarios.
type scenarioHost struct{ *subject }

var _ scenario.Host = scenarioHost{}

// Dispense returns a new client.
func (h scenarioHost) Dispense(ctx context.Context, name string) (*probe.Client, error) {
	dispensed, err := host.Dispense(ctx, h.Client, core.DefineSides[ourprobe.Suite, *ourprobe.Probe](name))
	if err != nil {
		return nil, err
	}
	return dispensed.Client, nil
}

// Version returns the negotiated version.
func (h scenarioHost) Version() int { return h.NegotiatedVersion() }

// Pid returns the process ID.
func (h scenarioHost) Pid() int {
	pid, err := strconv.Atoi(h.ID())
	if err != nil {
		return 0
	}
	return pid
}

// Stdout returns the plugin's standard output.
func (h scenarioHost) Stdout() *shared.Output { return h.stdout }

// Stderr returns the plugin's standard error.
func (h scenarioHost) Stderr() *shared.Output { return h.stderr }

// Ended waits for the end of the process.
func (h scenarioHost) Ended(ctx context.Context) (string, error) {
	select {
	case <-h.Done():
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	var exit *core.ExitError
	if err := h.Err(); err == nil || !errors.As(err, &exit) {
		return "", err
	}
	return exit.Status, nil
}

// theirPluginsLimits are the scenarios that plugins on go-plugin fail under any host, with
// the errors. These plugins and their brokered servers accept up to 4 MiB.
func theirPluginsLimits() map[string]string {
	const tooLarge = "grpc: received message larger than max"
	return map[string]string{"big": tooLarge, "big-offer": tooLarge}
}

func TestOurHostRunsTheScenarios(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		eachSetting(t, func(t *testing.T, s setting) {
			for _, name := range slices.Concat(s.names(p.ours, false), s.names(p.ours, true)) {
				t.Run(name, func(t *testing.T) { p.perform(t, s, name) })
			}
		})
	})
}

// perform runs one scenario.
func (p peer) perform(t *testing.T, s setting, name string) {
	t.Helper()
	of, _ := scenario.Named(name)
	u := p.launch(t, launch{setting: s})
	r := &scenario.Run{Host: scenarioHost{u}, Probe: u.probe.Client, Values: make(map[string]any)}
	err := of.Do(within(t), r)
	limit := ""
	if !p.ours {
		limit = theirPluginsLimits()[name]
	}
	if (err == nil) != (limit == "") || err != nil && !strings.Contains(err.Error(), limit) {
		t.Errorf("got %v, expected %q", err, limit)
	}
	if len(r.Values) > 0 {
		t.Log(r.Values)
	}
	if !of.Fatal {
		u.closeInOrder(t)
		return
	}
	peers.ExpectFarewell(t, u.farewell, false)
	for _, call := range []string{"callError", "besideError"} {
		if got := fmt.Sprint(r.Values[call]); !strings.Contains(got, "exit status") {
			t.Errorf("%s: %s; expected the exit status in it", call, got)
		}
	}
}
