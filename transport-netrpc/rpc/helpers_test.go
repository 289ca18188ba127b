package rpc

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
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
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// serveObject serves object on conn until the test ends.
func serveObject(t testing.TB, conn net.Conn, object any, maxCalls int) {
	t.Helper()
	s, err := NewService(object)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = Serve(context.WithoutCancel(t.Context()), conn, map[string]*Service{DefaultService: s}, ServerConfig{MaxConcurrentCalls: maxCalls})
	}()
	t.Cleanup(func() {
		conn.Close()
		receive(t, "the end of the server", served)
	})
}

// clientOf returns a client of object, over a socket.
func clientOf(t testing.TB, object any) *Client {
	t.Helper()
	c, s := socketPair(t)
	serveObject(t, s, object, DefaultMaxConcurrentCalls)
	client := NewClient(c, ClientConfig{})
	t.Cleanup(func() { client.Close() })
	return client
}

// tutorial has the methods that the tests call, in the forms that net/rpc
// takes. All are of named, exported types.
type tutorial struct{}

type Pair struct {
	A, B  int
	Note  string
	Again *Pair
}

func (tutorial) Greet(_ any, reply *string) error { *reply = "hello"; return nil }

func (tutorial) Sum(args Pair, reply *int) error { *reply = args.A + args.B; return nil }

func (tutorial) SumPointer(args *Pair, reply *int) error { *reply = args.A + args.B; return nil }

func (tutorial) Whole(args Pair, reply *Pair) error { *reply = args; return nil }

func (tutorial) FillMap(keys []string, reply *map[string]int) error {
	for i, key := range keys {
		(*reply)[key] = i // a reply map is there to be filled
	}
	return nil
}

func (tutorial) FillSlice(n int, reply *[]int) error {
	for i := range n {
		*reply = append(*reply, i)
	}
	return nil
}

func (tutorial) Refuse(text string, _ *int) error { return errors.New(text) }

func (tutorial) Basic(text string, reply **BasicError) error {
	*reply = NewBasicError(errors.New(text))
	return nil
}

func (tutorial) Nothing(struct{}, *struct{}) error { return nil }
