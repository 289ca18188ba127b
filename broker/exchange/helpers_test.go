package exchange_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/yamux"
)

// patience is the time limit for operations that must not hang.
const patience = 20 * time.Second

// within returns a context for an operation that must not hang.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// wire is one end of an in-memory control stream.
type wire struct {
	in   <-chan exchange.Info
	out  chan<- exchange.Info
	over *ending // shared by both ends
}

type ending struct {
	once sync.Once
	done chan struct{}
}

func (e *ending) end() { e.once.Do(func() { close(e.done) }) }

// newWire returns both ends of a control stream; each buffers this many unread
// infos.
func newWire(buffer int) (a, b *wire) {
	ab, ba := make(chan exchange.Info, buffer), make(chan exchange.Info, buffer)
	over := &ending{done: make(chan struct{})}
	return &wire{ba, ab, over}, &wire{ab, ba, over}
}

func (w *wire) Send(info exchange.Info) error {
	select {
	case <-w.over.done:
		return io.EOF
	default:
	}
	select {
	case w.out <- info:
		return nil
	case <-w.over.done:
		return io.EOF
	}
}

func (w *wire) Recv() (exchange.Info, error) {
	select {
	case info := <-w.in:
		return info, nil
	case <-w.over.done:
		return exchange.Info{}, io.EOF
	}
}

// Interrupt makes a wire an exchange.Interrupter.
func (w *wire) Interrupt() { w.over.end() }

// deaf is a stream without Interrupt.
type deaf struct{ wire *wire }

func (d deaf) Send(info exchange.Info) error { return d.wire.Send(info) }
func (d deaf) Recv() (exchange.Info, error)  { return d.wire.Recv() }

// unrun returns a host's and a plugin's broker of each scheme, without a
// control stream.
func unrun(t testing.TB) map[string][2]exchange.Scheme {
	t.Helper()
	noLeaks(t)
	client, server := sessions(t)
	host, plugin := multiplexedOn(t, client, server, broker.Config{})
	return map[string][2]exchange.Scheme{
		"plain":       {newPlain(t, broker.Config{}), newPlain(t, broker.Config{})},
		"multiplexed": {host, plugin},
	}
}

// running runs a broker on a stream until the test or the stream ends, and then
// ends the stream.
func running(t testing.TB, b exchange.Scheme, s exchange.Stream) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, result := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		result <- b.Run(ctx, s)
		switch s := s.(type) {
		case *wire:
			s.Interrupt()
		case deaf:
			s.wire.Interrupt()
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return result
}

// sessions returns the two ends of a session over a unix socket.
func sessions(t testing.TB) (client, server *yamux.Session) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return sessionsOver(t, c, s)
}

func sessionsOver(t testing.TB, c, s net.Conn) (client, server *yamux.Session) {
	t.Helper()
	client, err := yamux.Client(c, yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server, err = yamux.Server(s, yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// multiplexedPair returns a host's and a plugin's running broker. The end of
// the test checks for leaks.
func multiplexedPair(t testing.TB, cfg broker.Config) (host, plugin *exchange.Multiplexed) {
	t.Helper()
	noLeaks(t)
	client, server := sessions(t)
	host, plugin = multiplexedOn(t, client, server, cfg)
	a, b := newWire(1)
	running(t, host, a)
	running(t, plugin, deaf{b})
	return host, plugin
}

func multiplexedOn(t testing.TB, client, server *yamux.Session, cfg broker.Config) (host, plugin *exchange.Multiplexed) {
	t.Helper()
	host = exchange.NewMultiplexed(cfg, broker.Yamux(client))
	plugin = exchange.NewMultiplexed(cfg, broker.Yamux(server))
	t.Cleanup(func() { host.Close(); plugin.Close() })
	return host, plugin
}

// plainPair returns a host's and a plugin's running broker.
func plainPair(t testing.TB, cfg broker.Config) (host, plugin *exchange.Plain) {
	t.Helper()
	noLeaks(t)
	host, plugin = newPlain(t, cfg), newPlain(t, cfg)
	a, b := newWire(1)
	running(t, host, a)
	running(t, plugin, deaf{b})
	return host, plugin
}

func newPlain(t testing.TB, cfg broker.Config) *exchange.Plain {
	t.Helper()
	b := exchange.NewPlain(cfg, dialNet, listenIn(t))
	t.Cleanup(func() { b.Close() })
	return b
}

func dialNet(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, address)
}

// listenIn makes sockets in a new directory.
func listenIn(t testing.TB) exchange.ListenFunc {
	t.Helper()
	dir, err := os.MkdirTemp("", "jf") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var n atomic.Int32
	return func(ctx context.Context) (net.Listener, string, string, error) {
		path := filepath.Join(dir, strconv.Itoa(int(n.Add(1))))
		var config net.ListenConfig
		l, err := config.Listen(ctx, "unix", path)
		return l, "unix", path, err
	}
}

// pairs are the two schemes, each with a host and a plugin.
var pairs = map[string]func(t testing.TB, cfg broker.Config) (host, plugin exchange.Scheme){
	"plain": func(t testing.TB, cfg broker.Config) (exchange.Scheme, exchange.Scheme) {
		return plainPair(t, cfg)
	},
	"multiplexed": func(t testing.TB, cfg broker.Config) (exchange.Scheme, exchange.Scheme) {
		return multiplexedPair(t, cfg)
	},
}

// inBothSchemes runs a test for each of pairs.
func inBothSchemes(t *testing.T, test func(t *testing.T, host, plugin exchange.Scheme)) {
	t.Helper()
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			host, plugin := pair(t, broker.Config{})
			test(t, host, plugin)
		})
	}
}

type result struct {
	conn net.Conn
	err  error
}

// async runs a Dial or an Accept in the background.
func async(f func() (net.Conn, error)) <-chan result {
	c := make(chan result, 1)
	go func() {
		conn, err := f()
		c <- result{conn, err}
	}()
	return c
}

func dialing(ctx context.Context, b exchange.Scheme, id uint32) <-chan result {
	return async(func() (net.Conn, error) { return b.Dial(ctx, id) })
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

// connection returns the connection of a Dial or an Accept.
func connection(t testing.TB, what string, c <-chan result) net.Conn {
	t.Helper()
	r := receive(t, what, c)
	if r.err != nil {
		t.Fatalf("%s: %v", what, r.err)
	}
	t.Cleanup(func() { r.conn.Close() })
	return r.conn
}

func listen(t testing.TB, b exchange.Scheme, id uint32) net.Listener {
	t.Helper()
	l, err := b.Listen(within(t), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// greet answers each connection with a text and closes it.
func greet(l net.Listener, text string) {
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}()
}

// greeting returns the text of the ID's listener.
func greeting(ctx context.Context, b exchange.Scheme, id uint32) (string, error) {
	conn, err := b.Dial(ctx, id)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	text, err := io.ReadAll(conn)
	return string(text), err
}

func expectGreeting(t testing.TB, b exchange.Scheme, id uint32, want string) {
	t.Helper()
	if got, err := greeting(within(t), b, id); err != nil || got != want {
		t.Fatalf("ID %d: %q, %v; want %q", id, got, err, want)
	}
}

// expectText writes a text at one end and expects it at the other.
func expectText(t testing.TB, from, to net.Conn, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(from, text)
		sent <- err
	}()
	buffer := make([]byte, len(text))
	_ = to.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(to, buffer); err != nil || string(buffer) != text {
		t.Fatalf("sent %q, got %q, %v", text, buffer, err)
	}
	if err := receive(t, "write", sent); err != nil {
		t.Fatal(err)
	}
}

// waitFor polls for a condition without a notification, and fails the test if
// it does not come true.
func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("timeout waiting for: %s", what)
		}
	}
}

// noLeaks fails the test if it leaves goroutines of this module behind.
func noLeaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
			left = left[:0]
			for id, stack := range goroutines() {
				if _, known := before[id]; !known {
					left = append(left, stack)
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("goroutines left behind:\n%s", strings.Join(left, "\n\n"))
				return
			}
		}
	})
}

// goroutines returns the stacks of goroutines in this module's code, by their
// head.
func goroutines() map[string]string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	found := make(map[string]string)
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		head, _, _ := strings.Cut(stack, " [")
		if strings.Contains(stack, "jackfield/broker") && !strings.Contains(stack, "testing.tRunner(") {
			found[head] = stack
		}
	}
	return found
}
