package rpc

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"
)

// misfit has one method for each reason why one cannot be called.
type misfit struct{}

func (misfit) NoReply(int) error                           { return nil }
func (misfit) NoError(int, *int)                           {}
func (misfit) Value(int, int) error                        { return nil }
func (misfit) TwoResults(int, *int) (int, error)           { return 0, nil }
func (misfit) LateContext(int, context.Context) error      { return nil }
func (misfit) Variadic(int, ...*int) error                 { return nil }
func (misfit) Three(context.Context, int, int) error       { return nil }
func (misfit) hidden(int, *int) error                      { return nil } //nolint:unused // what cannot be called
func (misfit) Fits(_ context.Context, _ int, _ *int) error { return nil }

func TestMethodsThatDoNotFitSayWhy(t *testing.T) {
	client := clientOf(t, misfit{})
	if err := client.Call(within(t), "Fits", 1, nil); err != nil {
		t.Fatal(err)
	}
	for method, why := range map[string]string{
		"NoReply":     "does not take arguments and a reply",
		"Variadic":    "does not take arguments and a reply",
		"NoError":     "does not return an error",
		"TwoResults":  "does not return an error",
		"Value":       "has a reply of type int, not a pointer",
		"LateContext": "has a reply of type context.Context, not a pointer",
		"Three":       "has a reply of type int, not a pointer",
		"hidden":      "can't find method",
		"Nonesuch":    "can't find method",
	} {
		if err := client.Call(within(t), method, 1, nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %q in it", method, err, why)
		}
	}
}

type onPointer struct{}

func (*onPointer) Fits(int, *int) error { return nil }

type onlyMisfit struct{}

func (onlyMisfit) Value(int, int) error { return nil }

func TestObjectsWithoutMethodsSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		object any
		want   string
	}{
		"nil":                    {nil, "nil cannot be served"},
		"no methods":             {struct{}{}, "it has no exported methods"},
		"methods of the pointer": {onPointer{}, "pass a pointer"},
		"no method that fits":    {onlyMisfit{}, "Value has a reply of type int, not a pointer"},
	} {
		if _, err := NewService(c.object); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := NewService(&onPointer{}); err != nil {
		t.Error(err)
	}
}

// crowd counts its present members.
type crowd struct {
	in, most atomic.Int32
	arrived  chan struct{}
	leave    chan struct{}
}

func (c *crowd) Enter(ctx context.Context, _ int, _ *int) error {
	now := c.in.Add(1)
	defer c.in.Add(-1)
	for {
		most := c.most.Load()
		if now <= most || c.most.CompareAndSwap(most, now) {
			break
		}
	}
	c.arrived <- struct{}{}
	select {
	case <-c.leave:
		return nil
	case <-ctx.Done():
		return errors.New("the connection ended")
	}
}

func TestConcurrentCallsAreLimited(t *testing.T) {
	const allowed, calls = 3, 20
	object := &crowd{arrived: make(chan struct{}, calls), leave: make(chan struct{})}
	c, s := socketPair(t)
	serveObject(t, s, object, allowed)
	client := NewClient(c, ClientConfig{})
	defer client.Close()
	returned := make(chan error, calls)
	for range calls {
		go func() { returned <- client.Call(within(t), "Enter", 1, nil) }()
	}
	for range allowed {
		receive(t, "a call that is allowed", object.arrived)
	}
	close(object.leave)
	for range calls {
		if err := receive(t, "a call", returned); err != nil {
			t.Error(err)
		}
	}
	if most := object.most.Load(); most != allowed {
		t.Errorf("%d calls ran at a time, want %d", most, allowed)
	}
}

// leaver does not return.
type leaver struct{ t testing.TB }

func (l leaver) Exit(_ int, _ *int) error { runtime.Goexit(); return nil }

func (l leaver) Fail(_ int, _ *int) error { l.t.FailNow(); return nil }

func (leaver) Stay(n int, m *int) error { *m = n; return nil }

func TestMethodThatEndsItsGoroutineIsAnError(t *testing.T) {
	client := clientOf(t, leaver{&testing.B{}})
	for _, method := range []string{"Exit", "Fail", "Exit"} {
		err := client.Call(within(t), method, 1, nil)
		var remote RemoteError
		if !errors.As(err, &remote) || !strings.Contains(err.Error(), "runtime.Goexit") {
			t.Errorf("%s: %v", method, err)
		}
	}
	var n int
	if err := client.Call(within(t), "Stay", 7, &n); err != nil || n != 7 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestLongErrorIsCut(t *testing.T) {
	client := clientOf(t, tutorial{})
	text := strings.Repeat("é", 8<<20)
	err := client.Call(within(t), "Refuse", text, nil)
	var remote RemoteError
	if !errors.As(err, &remote) || len(remote) > maxErrorText+100 || !utf8.ValidString(string(remote)) ||
		!strings.HasPrefix(text, string(remote)[:maxErrorText-1]) || !strings.HasSuffix(string(remote), "(cut: the text has 16777216 bytes)") {
		t.Errorf("got %.200v", err)
	}
}
