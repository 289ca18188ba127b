package netrpc_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
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

// eachSubject runs a test on a plugin of every program, with and without TLS.
func eachSubject(t *testing.T, test func(*testing.T, *subject)) {
	t.Helper()
	eachPeer(t, func(t *testing.T, p peer) {
		t.Run("plain", func(t *testing.T) { test(t, p.launch(t, setting{})) })
		t.Run("AutoMTLS", func(t *testing.T) {
			test(t, p.launch(t, setting{change: func(c *host.Config) { c.AutoMTLS = host.MTLSRequired }}))
		})
	})
}

// setting lists the differences from a launch of version 1 on both sides.
type setting struct {
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
func (p peer) prepare(t *testing.T, s setting) (*subject, host.Config) {
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
			t.Log(u.debug)
		}
	})
	hostVersions, err := shared.ParseVersions(s.host)
	if err != nil {
		t.Fatal(err)
	}
	command := host.Command(*p.program, "-versions", s.plugin, "-farewell", u.farewell)
	command.Env = []string{"TMPDIR=" + temporary, "GORACE=atexit_sleep_ms=0"}
	cfg := host.Config{
		Handshake: ourprobe.Handshake(),
		Versions:  ourprobe.Versions(hostVersions),
		Command:   command,
		Sockets:   host.Sockets{Dirs: []string{temporary}},
		Outputs: host.Outputs{
			PrintedStdout: u.stdout,
			PrintedStderr: u.stderr,
			PlainLevel:    slog.LevelDebug, // for the plugin's own text
		},
		Logger: slog.New(levels{
			slog.NewTextHandler(u.log, &slog.HandlerOptions{Level: slog.LevelInfo}),
			slog.NewTextHandler(u.debug, &slog.HandlerOptions{Level: slog.LevelDebug}),
		}),
	}
	if s.change != nil {
		s.change(&cfg)
	}
	return u, cfg
}

// launch launches the plugin and dispenses the probe. The end of the test kills a plugin
// that is still open.
func (p peer) launch(t *testing.T, s setting) *subject {
	t.Helper()
	u, cfg := p.prepare(t, s)
	var err error
	if u.Client, err = host.Launch(within(t), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Kill(within(t)); err != nil {
			t.Error(err)
		}
	})
	u.probe = u.dispense(t)
	return u
}

// dispense returns a new instance of the probe.
func (u *subject) dispense(t *testing.T) *ourprobe.Probe {
	t.Helper()
	probe, err := host.Dispense(within(t), u.Client, ourprobe.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

// expectAlive checks that the plugin answers calls.
func (u *subject) expectAlive(t *testing.T) {
	t.Helper()
	if got, err := u.probe.Echo(within(t), "still here"); err != nil || got != "still here" {
		t.Errorf("echo: %q, %v", got, err)
	}
}

// closeInOrder ends the plugin. It checks that the plugin left by itself, reached the end
// of its main, and caused no messages.
func (u *subject) closeInOrder(t *testing.T) {
	t.Helper()
	if err := u.Stop(within(t)); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := u.Err(); err != nil {
		t.Errorf("after an orderly end: %v", err)
	}
	peers.ExpectFarewell(t, u.farewell, true)
	u.expectQuiet(t)
}

// expectQuiet checks that the log has no messages above debug.
func (u *subject) expectQuiet(t *testing.T) {
	t.Helper()
	if text := u.log.String(); text != "" {
		t.Errorf("logged above debug: %s", text)
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

// levels passes records to several handlers.
type levels []slog.Handler

func (l levels) Enabled(ctx context.Context, level slog.Level) bool {
	return slices.ContainsFunc(l, func(h slog.Handler) bool { return h.Enabled(ctx, level) })
}

func (l levels) Handle(ctx context.Context, record slog.Record) error {
	for _, h := range l {
		if !h.Enabled(ctx, record.Level) {
			continue
		}
		if err := h.Handle(ctx, record.Clone()); err != nil {
			return err
		}
	}
	return nil
}

func (l levels) WithAttrs(attrs []slog.Attr) slog.Handler {
	return l.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (l levels) WithGroup(name string) slog.Handler {
	return l.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (l levels) each(change func(slog.Handler) slog.Handler) levels {
	changed := make(levels, len(l))
	for i, h := range l {
		changed[i] = change(h)
	}
	return changed
}
