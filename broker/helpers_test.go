package broker_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/broker"
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

// socketPair returns both ends of a unix socket connection.
func socketPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if client, err = net.Dial("unix", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// sessionsOver returns the two ends of a session over a connection.
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

// pair returns brokers at both ends of a connection, the second with cfg. The
// end of the test checks for leaks.
func pair(t testing.TB, cfg broker.Config) (host, plugin *broker.Prefixed) {
	t.Helper()
	noLeaks(t)
	c, s := socketPair(t)
	client, server := sessionsOver(t, c, s)
	return brokersOn(t, client, server, cfg)
}

func brokersOn(t testing.TB, client, server *yamux.Session, cfg broker.Config) (host, plugin *broker.Prefixed) {
	t.Helper()
	host = broker.NewPrefixed(broker.Yamux(client), broker.Config{})
	plugin = broker.NewPrefixed(broker.Yamux(server), cfg)
	t.Cleanup(func() { host.Close(); plugin.Close() })
	return host, plugin
}

// rawPair returns a broker and the session at the other end. The test uses the
// session for input that no broker sends.
func rawPair(t testing.TB, cfg broker.Config) (*broker.Prefixed, *yamux.Session) {
	t.Helper()
	noLeaks(t)
	c, s := socketPair(t)
	client, server := sessionsOver(t, c, s)
	b := broker.NewPrefixed(broker.Yamux(server), cfg)
	t.Cleanup(func() { b.Close() })
	return b, client
}

// knock opens a stream and sends its ID.
func knock(t testing.TB, session *yamux.Session, id uint32) *yamux.Stream {
	t.Helper()
	stream, err := session.Open(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(binary.LittleEndian.AppendUint32(nil, id)); err != nil {
		t.Fatal(err)
	}
	return stream
}

type result struct {
	conn broker.Conn
	err  error
}

// async runs Dial or Accept in the background.
func async(ctx context.Context, f func(context.Context, uint32) (broker.Conn, error), id uint32) <-chan result {
	c := make(chan result, 1)
	go func() {
		conn, err := f(ctx, id)
		c <- result{conn, err}
	}()
	return c
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

// connect makes a connection from one broker to the other.
func connect(t testing.TB, from, to *broker.Prefixed, id uint32) (dialled, accepted broker.Conn) {
	t.Helper()
	accepting := async(within(t), to.Accept, id)
	dialled, err := from.Dial(within(t), id)
	if err != nil {
		t.Fatal(err)
	}
	got := receive(t, "accept", accepting)
	if got.err != nil {
		t.Fatal(got.err)
	}
	return dialled, got.conn
}

// waitFor polls for a condition without a notification, and fails the test if
// it does not come true.
func waitFor(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("timeout waiting for the condition")
		}
	}
}

// expectText writes a text at one end and expects it at the other.
func expectText(t testing.TB, from, to net.Conn, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write([]byte(text))
		sent <- err
	}()
	buffer := make([]byte, len(text))
	_ = to.SetReadDeadline(time.Now().Add(patience))
	for read := 0; read < len(buffer); {
		n, err := to.Read(buffer[read:])
		if err != nil {
			t.Fatalf("read %q: %v", text, err)
		}
		read += n
	}
	_ = to.SetReadDeadline(time.Time{})
	if err := receive(t, "write", sent); err != nil || string(buffer) != text {
		t.Fatalf("sent %q, got %q, %v", text, buffer, err)
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

// isOver reports whether the other side has ended the stream.
func isOver(stream *yamux.Stream) bool {
	select {
	case <-stream.PeerDone():
		return true
	default:
		return false
	}
}

// skipID reads the confirmation from a stream.
func skipID(t testing.TB, stream *yamux.Stream) *yamux.Stream {
	t.Helper()
	_ = stream.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(stream, make([]byte, 4)); err != nil {
		t.Fatalf("read the confirmation: %v", err)
	}
	_ = stream.SetReadDeadline(time.Time{})
	return stream
}
