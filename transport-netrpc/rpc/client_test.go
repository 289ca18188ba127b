package rpc

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"net/rpc"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

// awkward answers with values outside gob.
type awkward struct{}

func (awkward) Channel(_ int, reply *struct{ C, D chan int }) error {
	reply.C = make(chan int)
	return nil
}

func (awkward) Function(_ int, reply *any) error {
	*reply = func() {}
	return nil
}

func (awkward) NilPointer(int, **int) error { return nil }

func (awkward) Text(n int, reply *string) error {
	*reply = strings.Repeat("x", n)
	return nil
}

func TestUnencodableValuesLeaveTheConnectionUsable(t *testing.T) {
	client := clientOf(t, awkward{})
	var text string
	for name, call := range map[string]func() error{
		"a channel in the arguments":    func() error { return client.Call(within(t), "Text", make(chan int), &text) },
		"a function in the arguments":   func() error { return client.Call(within(t), "Text", func() {}, &text) },
		"no arguments":                  func() error { return client.Call(within(t), "Text", nil, &text) },
		"a nil pointer for arguments":   func() error { return client.Call(within(t), "Text", (*int)(nil), &text) },
		"arguments of another type":     func() error { return client.Call(within(t), "Text", []string{"a"}, &text) },
		"types that are not registered": func() error { return client.Call(within(t), "Text", []any{Pair{}}, &text) },
		"a channel in the answer":       func() error { return client.Call(within(t), "Channel", 1, nil) },
		"a function in the answer":      func() error { return client.Call(within(t), "Function", 1, nil) },
		"a nil pointer for an answer":   func() error { return client.Call(within(t), "NilPointer", 1, nil) },
		"an answer of another type":     func() error { return client.Call(within(t), "Text", 1, new(int)) },
		"an answer into a channel":      func() error { return client.Call(within(t), "Text", 1, new(chan int)) },
	} {
		t.Run(name, func(t *testing.T) {
			err := receive(t, "the call", async(call))
			if err == nil || errors.Is(err, core.ErrConnectionLost) {
				t.Errorf("got %v, want an error of this call alone", err)
			}
			var got string
			if err := client.Call(within(t), "Text", 3, &got); err != nil || got != "xxx" {
				t.Fatalf("the next call: %q, %v", got, err)
			}
		})
	}
}

func TestReplyMustBeAPointer(t *testing.T) {
	client := clientOf(t, tutorial{})
	for name, reply := range map[string]any{"a value": 5, "a nil pointer": (*int)(nil), "a map": map[string]int{}} {
		err := client.Call(within(t), "Sum", Pair{}, reply)
		if err == nil || !strings.Contains(err.Error(), "pointer") {
			t.Errorf("%s: got %v, want an error that says what a reply must be", name, err)
		}
	}
}

func TestEndsOfAConnectionAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(client *Client, conn net.Conn)
		want error
	}{
		"closed here":       {func(client *Client, _ net.Conn) { client.Close() }, core.ErrClosed},
		"lost at the other": {func(_ *Client, conn net.Conn) { conn.Close() }, core.ErrConnectionLost},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := socketPair(t)
			client := NewClient(near, ClientConfig{})
			defer client.Close()
			reached := async(func() error {
				_, err := far.Read(make([]byte, 1))
				return err
			})
			call := async(func() error { return client.Call(within(t), "Sum", Pair{}, nil) })
			if err := receive(t, "the request", reached); err != nil {
				t.Fatal(err)
			}
			c.end(client, far)
			if err := receive(t, "the call", call); !errors.Is(err, c.want) {
				t.Errorf("the call in flight returned %v, want %v", err, c.want)
			}
			if err := client.Call(within(t), "Sum", Pair{}, nil); !errors.Is(err, c.want) {
				t.Errorf("a later call returned %v, want %v", err, c.want)
			}
			for range 2 {
				client.Close()
			}
		})
	}
}

// brokenWriter is a connection whose other side is gone, which only a write
// notices.
type brokenWriter struct{ net.Conn }

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteThatFailsIsALostConnection(t *testing.T) {
	c, _ := socketPair(t)
	client := NewClient(brokenWriter{c}, ClientConfig{})
	defer client.Close()
	for range 2 {
		if err := client.Call(within(t), "Sum", Pair{}, nil); !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("got %v, want core.ErrConnectionLost", err)
		}
	}
}

func TestEndedContextSendsNothing(t *testing.T) {
	c, s := socketPair(t)
	client := NewClient(c, ClientConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Call(ctx, "Sum", Pair{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	client.Close()
	if sent, err := io.ReadAll(s); len(sent) > 0 || err != nil {
		t.Errorf("%d bytes were sent, %v", len(sent), err)
	}
}

func TestConnectionCanBeTakenOverBeforeTheFirstCall(t *testing.T) {
	c, s := socketPair(t)
	serveObject(t, s, tutorial{}, DefaultMaxConcurrentCalls)
	client := NewClient(c, ClientConfig{})
	conn, err := client.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Call(within(t), "Sum", Pair{}, nil); !errors.Is(err, ErrHijacked) {
		t.Errorf("a call afterwards returned %v, want ErrHijacked", err)
	}
	if _, err := client.Hijack(); !errors.Is(err, ErrHijacked) {
		t.Errorf("a second Hijack returned %v, want ErrHijacked", err)
	}
	client.Close() // the connection is not its own any more
	standard := rpc.NewClient(conn)
	defer standard.Close()
	var sum int
	if err := standard.Call("Plugin.Sum", Pair{A: 1, B: 2}, &sum); err != nil || sum != 3 {
		t.Errorf("over the hijacked connection: %d, %v", sum, err)
	}
}

func TestConnectionCannotBeTakenOverAfterACall(t *testing.T) {
	client := clientOf(t, tutorial{})
	if err := client.Call(within(t), "Sum", Pair{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Hijack(); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	if err := client.Call(within(t), "Sum", Pair{}, nil); err != nil {
		t.Errorf("a refused Hijack has harmed the client: %v", err)
	}
	client.Close()
	if _, err := NewClient(client.conn, ClientConfig{}).Hijack(); err != nil {
		t.Error(err)
	}
}

// Unexpected answers and repeated answers do no harm.
func TestUnexpectedAnswersAreDropped(t *testing.T) {
	c, s := socketPair(t)
	client := NewClient(c, ClientConfig{})
	defer client.Close()
	go func() {
		dec, enc := gob.NewDecoder(s), gob.NewEncoder(s)
		for {
			var asked request
			var args Pair
			if dec.Decode(&asked) != nil || dec.Decode(&args) != nil {
				return
			}
			for _, seq := range []uint64{asked.Seq + 100, 0, asked.Seq, asked.Seq} {
				if enc.Encode(&response{Seq: seq}) != nil || enc.Encode(args.A+args.B) != nil {
					return
				}
			}
		}
	}()
	for i := range 20 {
		var sum int
		if err := client.Call(within(t), "Sum", Pair{A: i, B: 1}, &sum); err != nil || sum != i+1 {
			t.Fatalf("call %d: %d, %v", i, sum, err)
		}
	}
}
