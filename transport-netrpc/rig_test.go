package transportnetrpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// patience bounds waits in tests.
const patience = 20 * time.Second

// within returns a context with the bound patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive fails the test if nothing comes.
func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-within(t).Done():
		t.Fatalf("%s: nothing happened", what)
	}
	return v
}

// async runs a function beside the test, in case it hangs.
func async(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

// log is logged or printed text.
type log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newLog() *log { return &log{changed: make(chan struct{})} }

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait waits until want has been written.
func (l *log) wait(t testing.TB, want string) {
	t.Helper()
	for {
		l.mu.Lock()
		has, changed := strings.Contains(l.text.String(), want), l.changed
		l.mu.Unlock()
		if has {
			return
		}
		select {
		case <-changed:
		case <-within(t).Done():
			t.Fatalf("%q did not come; there is %q", want, l)
		}
	}
}

// rig is a plugin's server without a process around it, for hosts of
// the test's own.
type rig struct {
	transport      *netrpc.Transport
	server         *plugintest.Server
	address        string
	served         chan error
	stdout, stderr *net.UnixConn // the plugin's output
	quit           chan struct{} // closed when the shutdown functions run
	pluginLog      *log
}

// rigUp serves transport until the test ends, and expects no remains.
func rigUp(t *testing.T, transport *netrpc.Transport) *rig {
	t.Helper()
	return rigWith(t, transport, 5*time.Second)
}

// rigWith is rigUp with another timeout for the shutdown.
func rigWith(t *testing.T, transport *netrpc.Transport, timeout time.Duration) *rig {
	t.Helper()
	plugintest.NoLeaks(t)
	r := &rig{transport: transport, served: make(chan error, 1), quit: make(chan struct{}), pluginLog: newLog()}
	var stdout, stderr net.Conn
	stdout, r.stdout = unixPair(t)
	stderr, r.stderr = unixPair(t)
	var err error
	r.server, err = plugintest.NewServer(t.Context(), transport, core.PluginLink{
		ConnectionTimeout: core.DefaultConnectionTimeout,
		Logger:            slog.New(slog.NewTextHandler(r.pluginLog, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Stdout:            stdout, Stderr: stderr,
		Implements: it.Bind(struct{}{}),
	}, timeout, func(context.Context) {
		close(r.quit)
		_ = r.stdout.CloseWrite()
		_ = r.stderr.CloseWrite()
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	go func() { r.served <- r.server.Serve(listener) }()
	t.Cleanup(func() {
		r.server.Close()
		if err := receive(t, "the end of the server", r.served); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// unixPair returns both ends of a unix socket connection.
func unixPair(t testing.TB) (net.Conn, *net.UnixConn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	unix, ok := far.(*net.UnixConn)
	if !ok {
		t.Fatalf("a %T", far)
	}
	return near, unix
}

// testHost is a host connected to a rig.
type testHost struct {
	core.Session

	stdout, stderr, log *log
}

// connect connects a host, after change has been applied to it.
func (r *rig) connect(t *testing.T, change func(*core.HostLink)) *testHost {
	t.Helper()
	h := &testHost{stdout: newLog(), stderr: newLog(), log: newLog()}
	link := core.HostLink{
		Plugin: "plugin",
		Logger: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Stdout: h.stdout, Stderr: h.stderr,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", r.address)
		},
		Exited:  make(chan struct{}),
		Explain: func(_ context.Context, err error) error { return err },
	}
	if change != nil {
		change(&link)
	}
	var err error
	if h.Session, err = r.transport.Dial(within(t), link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// raw connects without a word.
func (r *rig) raw(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// handle is dispensed by the tests: both halves unchanged.
type handle struct {
	*netrpc.Client

	broker *netrpc.Broker
}

// it is the plugin of the tests; its implementation is in the server
// function.
var it = core.DefineSides[struct{}, handle]("it")

// served carries the objects made by server.
func served(server func(b *netrpc.Broker) (any, error)) netrpc.Option {
	client := func(b *netrpc.Broker, c *netrpc.Client) (handle, error) { return handle{c, b}, nil }
	if server == nil {
		return netrpc.Carry(it, nil, client)
	}
	return netrpc.Carry(it, func(b *netrpc.Broker, _ struct{}) (any, error) { return server(b) }, client)
}

func (h *testHost) dispense(t *testing.T) handle {
	t.Helper()
	got, err := h.Dispense(within(t), "it")
	if err != nil {
		t.Fatal(err)
	}
	it, ok := got.(handle)
	if !ok {
		t.Fatalf("dispensed a %T", got)
	}
	return it
}

// counter counts its calls.
type counter struct{ n int }

func (c *counter) Next(_ struct{}, n *int) error {
	c.n++
	*n = c.n
	return nil
}

func newCounter(*netrpc.Broker) (any, error) { return new(counter), nil }

// next expects the answer want of the counter.
func (h handle) next(t *testing.T, want int) {
	t.Helper()
	var n int
	if err := h.Call(within(t), "Next", struct{}{}, &n); err != nil || n != want {
		t.Fatalf("got %d, %v, want %d", n, err, want)
	}
}

var errExpected = errors.New("as expected")
