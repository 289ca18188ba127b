package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/yamux"
)

// connections are the connections of clients: alone, and as made by the
// broker.
var connections = map[string]func(testing.TB) (client, server net.Conn){
	"socket": socketPair,
	"pipe": func(t testing.TB) (client, server net.Conn) {
		client, server = net.Pipe()
		t.Cleanup(func() { client.Close(); server.Close() })
		return client, server
	},
	"stream": streamPair,
}

// streamPair returns both ends of a stream inside a connection.
func streamPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	c, s := socketPair(t)
	clients, err := yamux.Client(c, yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	servers, err := yamux.Server(s, yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clients.Close(); servers.Close() })
	if client, err = clients.Open(within(t)); err != nil {
		t.Fatal(err)
	}
	if server, err = servers.Accept(within(t)); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// gate is a connection read by its owner only while the gate is open.
type gate struct {
	net.Conn

	mu     sync.Mutex
	opened sync.Cond
	open   bool
}

func newGate(conn net.Conn) *gate {
	g := &gate{Conn: conn}
	g.opened.L = &g.mu
	return g
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
	g.opened.Broadcast()
}

func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	for !g.open {
		g.opened.Wait()
	}
	g.mu.Unlock()
	return g.Conn.Read(p)
}

func (g *gate) Close() error {
	err := g.Conn.Close()
	g.set(true)
	return err
}

// digester answers with a digest of its argument.
type digester struct{}

type digest struct {
	Size int
	Sum  [sha256.Size]byte
}

func digestOf(data []byte) digest { return digest{len(data), sha256.Sum256(data)} }

func (digester) Digest(data []byte, reply *digest) error {
	*reply = digestOf(data)
	return nil
}

func (digester) Echo(data []byte, reply *[]byte) error {
	*reply = data
	return nil
}

func randomBytes(seed uint64, size int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	data := make([]byte, size)
	_, _ = r.Read(data)
	return data
}

// notify is a connection reporting each beginning write.
type notify struct {
	net.Conn

	began chan struct{}
}

func (n notify) Write(p []byte) (int, error) {
	select {
	case n.began <- struct{}{}:
	default:
	}
	return n.Conn.Write(p)
}

// A call is abandoned in the middle of its message, while the other side reads
// nothing. What of it is out cannot be taken back: later calls must come after
// the rest of it.
func TestCallAbandonedInTheMiddleOfItsMessageCorruptsNothing(t *testing.T) {
	for name, pair := range connections {
		t.Run(name, func(t *testing.T) {
			c, s := pair(t)
			gated := newGate(s)
			serveObject(t, gated, digester{}, DefaultMaxConcurrentCalls)
			writes := notify{c, make(chan struct{}, 1)}
			client := NewClient(writes, ClientConfig{})
			defer client.Close()
			for round := range 2 {
				gated.set(false)
				for i := range 2 { // the second one finds the first one's rest
					abandonInWrite(t, client, writes, randomBytes(uint64(i), 1<<20))
				}
				gated.set(true)
				for i := range 5 {
					data := randomBytes(uint64(10*round+i), 1<<(4*i))
					var got digest
					if err := client.Call(within(t), "Digest", data, &got); err != nil || got != digestOf(data) {
						t.Fatalf("round %d, call %d of %d bytes: %v, or what arrived was not what was sent", round, i, len(data), err)
					}
				}
			}
		})
	}
}

// abandonInWrite makes a call that the other side does not read, and abandons
// it once it writes.
func abandonInWrite(t *testing.T, client *Client, writes notify, data []byte) {
	t.Helper()
	why := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	select {
	case <-writes.began: // an earlier write
	default:
	}
	var got digest
	call := async(func() error { return client.Call(ctx, "Digest", data, &got) })
	receive(t, "the write", writes.began)
	cancel(why)
	if err := receive(t, "the abandoned call", call); !errors.Is(err, why) {
		t.Fatalf("the abandoned call returned %v, want its context's cause", err)
	}
	if got != (digest{}) {
		t.Error("the abandoned call has touched its reply")
	}
}

// Deadlines hit writes at all moments, the first and the last byte included.
func TestCallsAbandonedAtAnyMomentCorruptNothing(t *testing.T) {
	for name, pair := range connections {
		t.Run(name, func(t *testing.T) {
			c, s := pair(t)
			serveObject(t, s, digester{}, DefaultMaxConcurrentCalls)
			client := NewClient(c, ClientConfig{})
			defer client.Close()
			var callers sync.WaitGroup
			for caller := range 4 {
				callers.Go(func() {
					for i := range 40 {
						data := randomBytes(uint64(caller*100+i), 1<<(i%18))
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*17*time.Microsecond)
						var got []byte
						switch err := client.Call(ctx, "Echo", data, &got); {
						case err == nil && bytes.Equal(got, data):
						case errors.Is(err, context.DeadlineExceeded) && got == nil:
						default:
							t.Errorf("call %d of caller %d: %d of %d bytes, %v", i, caller, len(got), len(data), err)
						}
						cancel()
					}
				})
			}
			callers.Wait()
			var got []byte
			if err := client.Call(within(t), "Echo", []byte("well"), &got); err != nil || string(got) != "well" {
				t.Errorf("afterwards: %q, %v", got, err)
			}
		})
	}
}

// slow answers when it is told to.
type slow struct{ answer chan struct{} }

func (s slow) Fill(_ struct{}, reply *map[string]int) error {
	<-s.answer
	(*reply)["late"] = 1
	return nil
}

func (slow) Now(_ struct{}, reply *string) error { *reply = "now"; return nil }

func TestReplyOfAnAbandonedCallIsTheCallersAgain(t *testing.T) {
	object := slow{make(chan struct{})}
	client := clientOf(t, object)
	ctx, cancel := context.WithCancel(t.Context())
	reply := map[string]int{"mine": 1}
	call := async(func() error { return client.Call(ctx, "Fill", struct{}{}, &reply) })
	var now string
	if err := client.Call(within(t), "Now", struct{}{}, &now); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := receive(t, "the abandoned call", call); !errors.Is(err, context.Canceled) {
		t.Fatalf("the abandoned call returned %v", err)
	}
	close(object.answer) // the answer comes while the caller uses its map
	for range 200 {
		reply["mine"]++
		if err := client.Call(within(t), "Now", struct{}{}, &now); err != nil {
			t.Fatal(err)
		}
	}
	if _, late := reply["late"]; late {
		t.Error("the answer went into the abandoned reply")
	}
}

func TestCallThatWaitsToWriteCanBeAbandoned(t *testing.T) {
	c, s := socketPair(t)
	writes := notify{c, make(chan struct{}, 1)}
	client := NewClient(writes, ClientConfig{})
	defer client.Close()
	first := async(func() error { return client.Call(within(t), "Digest", make([]byte, 8<<20), nil) })
	receive(t, "the write", writes.began) // nobody reads it
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := client.Call(ctx, "Digest", []byte("x"), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	go func() { _, _ = io.Copy(io.Discard, s) }()
	client.Close()
	if err := receive(t, "the first call", first); err == nil {
		t.Error("the first call returned no error")
	}
}
