package logs

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// A side is one library's host with a running plugin.
type side struct {
	name string
	log  *counter
	conn net.Conn // to the plugin
}

// run orders a flood and returns the time until the given number of records was logged.
func (s *side) run(t *testing.T, o order, records int64) time.Duration {
	t.Helper()
	logged := s.log.expect(records)
	began := time.Now()
	if err := binary.Write(s.conn, binary.BigEndian, o); err != nil {
		t.Fatal(err)
	}
	select {
	case <-logged:
		return time.Since(began)
	case <-time.After(5 * time.Minute):
		t.Fatalf("%s has logged only %d of %d records", s.name, s.log.count.Load(), records)
		return 0
	}
}

// A counter counts records: both loggers write each record at once.
type counter struct {
	count atomic.Int64
	want  atomic.Int64
	done  atomic.Pointer[chan struct{}]
}

// expect starts at zero, and returns a channel that is closed at record number want.
func (c *counter) expect(want int64) <-chan struct{} {
	done := make(chan struct{})
	c.done.Store(&done)
	c.want.Store(want)
	c.count.Store(0)
	return done
}

func (c *counter) Write(record []byte) (int, error) {
	if c.count.Add(1) == c.want.Load() {
		close(*c.done.Load())
	}
	return len(record), nil
}

// startTheirs launches the plugin from go-plugin's host. The host logs as hclog's text, at
// level or above.
func startTheirs(t *testing.T, level hclog.Level) *side {
	t.Helper()
	s := &side{name: "go-plugin", log: new(counter)}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Plugins:         goplugin.PluginSet{},
		Cmd:             exec.Command(os.Args[0]),
		Logger:          hclog.New(&hclog.LoggerOptions{Output: s.log, Level: level}),
	})
	t.Cleanup(client.Kill)
	addr, err := client.Start()
	if err != nil {
		t.Fatal(err)
	}
	if s.conn, err = net.Dial(addr.Network(), addr.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() }) // before Kill, so that the plugin leaves
	return s
}

// startOurs launches the plugin from our host. The host logs as slog's text, at level or
// above.
func startOurs(t *testing.T, level slog.Level) *side {
	t.Helper()
	s := &side{name: "jackfield", log: new(counter)}
	dialed := make(chan net.Conn, 1)
	client, err := host.Launch(t.Context(), host.Config{
		Handshake: core.Handshake{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Versions:  core.Versions{1: {bare{dialed}}},
		Command:   host.Command(os.Args[0]),
		Logger:    slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: level})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	s.conn = <-dialed
	return s
}

// A bare transport passes on the connection without using it.
type bare struct{ dialed chan<- net.Conn }

var errUnsupported = errors.New("a bare connection has no calls")

func (bare) Protocol() core.Protocol      { return core.NetRPC }
func (bare) HostEnv(func(string, string)) {}
func (bare) NewServer(context.Context, core.PluginLink) (core.Server, error) {
	return nil, errUnsupported
}

func (b bare) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	conn, err := link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	b.dialed <- conn
	return &bareSession{Closer: conn, done: make(chan struct{})}, nil
}

// A bareSession ends the plugin by closing its connection.
type bareSession struct {
	io.Closer

	done   chan struct{}
	closed atomic.Bool
}

func (*bareSession) Dispense(context.Context, string) (any, error) { return nil, errUnsupported }
func (*bareSession) Ping(context.Context) error                    { return nil }
func (s *bareSession) Quit(context.Context) error                  { return s.Close() }
func (s *bareSession) Done() <-chan struct{}                       { return s.done }

func (s *bareSession) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	close(s.done)
	return s.Closer.Close()
}
