package rpc

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/rpc"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

// caller is a client of either library.
type caller func(method string, args, reply any) error

// combinations are the clients and servers of both libraries, as go-plugin
// applications and ours meet.
func combinations(t *testing.T) map[string]caller {
	t.Helper()
	return map[string]caller{
		"net/rpc calls us":   standardClient(t, serveOurs),
		"we call net/rpc":    ourClient(t, serveStandard),
		"we call us":         ourClient(t, serveOurs),
		"net/rpc and itself": standardClient(t, serveStandard), // the reference for the others
	}
}

func serveOurs(t *testing.T, conn net.Conn) {
	t.Helper()
	serveObject(t, conn, tutorial{}, DefaultMaxConcurrentCalls)
}

func serveStandard(t *testing.T, conn net.Conn) {
	t.Helper()
	server := rpc.NewServer()
	if err := server.RegisterName(DefaultService, tutorial{}); err != nil {
		t.Fatal(err)
	}
	go server.ServeConn(conn)
}

func standardClient(t *testing.T, serve func(*testing.T, net.Conn)) caller {
	t.Helper()
	c, s := socketPair(t)
	serve(t, s)
	client := rpc.NewClient(c)
	t.Cleanup(func() { client.Close() })
	return func(method string, args, reply any) error { return client.Call(method, args, reply) }
}

func ourClient(t *testing.T, serve func(*testing.T, net.Conn)) caller {
	t.Helper()
	c, s := socketPair(t)
	serve(t, s)
	client := NewClient(c, ClientConfig{})
	t.Cleanup(func() { client.Close() })
	return func(method string, args, reply any) error { return client.Call(within(t), method, args, reply) }
}

func TestCallsMeanTheSameToNetRPC(t *testing.T) {
	for name, call := range combinations(t) {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				method      string
				args, reply any
				want        any
			}{
				{"Greet", new(any), new(string), "hello"},
				{"Sum", Pair{A: 2, B: 3}, new(int), 5},
				{"Sum", &Pair{A: 2, B: 3}, new(int), 5},
				{"Sum", Pair{}, new(int), 0},
				{"SumPointer", Pair{A: 2, B: 3}, new(int), 5},
				{"SumPointer", &Pair{A: 2, B: 3}, new(int), 5},
				{"Whole", Pair{Note: "n", Again: &Pair{A: 1}}, new(Pair), Pair{Note: "n", Again: &Pair{A: 1}}},
				{"FillMap", []string{"a", "b"}, new(map[string]int), map[string]int{"a": 0, "b": 1}},
				{"FillMap", []string{}, new(map[string]int), map[string]int{}},
				{"FillSlice", 3, new([]int), []int{0, 1, 2}},
				{"Basic", "inside", new(*BasicError), &BasicError{Message: "inside"}},
				{"Nothing", struct{}{}, new(struct{}), struct{}{}},
			} {
				if err := call("Plugin."+c.method, c.args, c.reply); err != nil {
					t.Errorf("%s: %v", c.method, err)
				} else if got := reflect.ValueOf(c.reply).Elem().Interface(); !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s: got %v, want %v", c.method, got, c.want)
				}
			}
			if err := call("Plugin.Sum", Pair{A: 1}, nil); err != nil {
				t.Errorf("with the answer dropped: %v", err)
			}
		})
	}
}

func TestErrorsMeanTheSameToNetRPC(t *testing.T) {
	for name, call := range combinations(t) {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				method string
				args   any
				want   string // in the error's text
			}{
				{"Plugin.Refuse", "the shelf is empty", "the shelf is empty"},
				{"Plugin.Nonesuch", 1, "rpc: can't find method Plugin.Nonesuch"},
				{"Nonesuch.Sum", 1, "rpc: can't find service Nonesuch.Sum"},
				{"Plugin.Sum", "no pair", "gob: "},
			} {
				err := call(c.method, c.args, new(int))
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: got %v, want %q in it", c.method, err, c.want)
				}
				var sum int
				if err := call("Plugin.Sum", Pair{A: 1, B: 2}, &sum); err != nil || sum != 3 {
					t.Fatalf("after that: %d, %v", sum, err)
				}
			}
		})
	}
}

func TestErrorsOfMethodsAreRemoteErrors(t *testing.T) {
	client := clientOf(t, tutorial{})
	err := client.Call(within(t), "Refuse", "not today", nil)
	var remote RemoteError
	if !errors.As(err, &remote) || remote != "not today" {
		t.Errorf("got %v, want a RemoteError", err)
	}
	if !strings.Contains(err.Error(), "Plugin.Refuse") {
		t.Errorf("%q does not say which call failed", err)
	}
	if NewBasicError(nil) != nil {
		t.Error("a BasicError of no error is one")
	}
}

func TestErrorWithoutATextIsStillOne(t *testing.T) {
	client := clientOf(t, tutorial{})
	if err := client.Call(within(t), "Refuse", "", nil); err == nil {
		t.Error("the error was lost: net/rpc takes an empty text for success")
	}
}

func TestParallelCallsGetTheirOwnAnswers(t *testing.T) {
	for name, call := range combinations(t) {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					var got Pair
					want := Pair{A: i, Note: strings.Repeat("x", i*331)}
					if err := call("Plugin.Whole", want, &got); err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("call %d: %v, or another call's answer", i, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// unencodable answers with a type unknown to gob.
type unencodable struct{}

type Anything struct{ Value any }

func (unencodable) Answer(_ int, reply *Anything) error {
	reply.Value = struct{ Unregistered int }{1}
	return nil
}

func TestAnswerThatCannotBeEncodedIsNamed(t *testing.T) {
	c, s := socketPair(t)
	server := rpc.NewServer()
	if err := server.RegisterName(DefaultService, unencodable{}); err != nil {
		t.Fatal(err)
	}
	go server.ServeConn(s)
	client := NewClient(c, ClientConfig{})
	defer client.Close()
	err := client.Call(within(t), "Answer", 1, new(Anything))
	if !errors.Is(err, core.ErrConnectionLost) || !strings.Contains(err.Error(), "the answer of Plugin.Answer has no body") {
		t.Errorf("net/rpc's server: %v", err)
	}
	var remote RemoteError
	err = clientOf(t, unencodable{}).Call(within(t), "Answer", 1, new(Anything))
	if !errors.As(err, &remote) || !strings.Contains(err.Error(), "cannot be encoded") {
		t.Errorf("our server: %v", err)
	}
}

// contextual has methods unfit for net/rpc.
type contextual struct{ entered, cancelled chan struct{} }

type hidden struct{ Words []string }

func (contextual) Count(ctx context.Context, args hidden, reply *int) error {
	*reply = len(args.Words)
	return ctx.Err()
}

func (contextual) Keys(_ context.Context, args map[string]hidden, reply *hidden) error {
	for key := range maps.Keys(args) {
		reply.Words = append(reply.Words, key)
	}
	return nil
}

func (c contextual) Wait(ctx context.Context, _ struct{}, _ *struct{}) error {
	close(c.entered)
	<-ctx.Done()
	close(c.cancelled)
	return ctx.Err()
}

func TestMethodsMayTakeAContextAndTypesThatAreNotExported(t *testing.T) {
	object := contextual{make(chan struct{}), make(chan struct{})}
	client := clientOf(t, object)
	var n int
	if err := client.Call(within(t), "Count", hidden{[]string{"a", "b"}}, &n); err != nil || n != 2 {
		t.Errorf("got %d, %v", n, err)
	}
	var keys hidden
	if err := client.Call(within(t), "Keys", map[string]hidden{"k": {}}, &keys); err != nil || len(keys.Words) != 1 {
		t.Errorf("got %v, %v", keys, err)
	}
	waiting := async(func() error { return client.Call(within(t), "Wait", struct{}{}, nil) })
	receive(t, "the method", object.entered)
	client.Close()
	if err := receive(t, "the call", waiting); err == nil {
		t.Error("a call that its client closed returned no error")
	}
	receive(t, "the end of the method's context", object.cancelled)
}
