package transportnetrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

func TestEachDispenseMakesAnInstance(t *testing.T) {
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, nil)
	first, second := h.dispense(t), h.dispense(t)
	first.next(t, 1)
	first.next(t, 2)
	second.next(t, 1)
	first.Close()
	second.next(t, 2)
}

func TestServerFunctionThatFailsFailsTheDispense(t *testing.T) {
	for name, c := range map[string]struct {
		server func(*netrpc.Broker) (any, error)
		want   string
	}{
		"an error":      {func(*netrpc.Broker) (any, error) { return nil, errExpected }, "as expected"},
		"nil":           {func(*netrpc.Broker) (any, error) { return nil, nil }, "nil cannot be served"},
		"no methods":    {func(*netrpc.Broker) (any, error) { return struct{}{}, nil }, "it has no exported methods"},
		"not its side":  {nil, "no server side"},
		"a plain value": {func(*netrpc.Broker) (any, error) { return counter{}, nil }, "pass a pointer"},
	} {
		t.Run(name, func(t *testing.T) {
			h := rigUp(t, netrpc.New(served(c.server))).connect(t, nil)
			_, err := h.Dispense(within(t), "it")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"it"`) {
				t.Errorf("got %v, want the plugin's name and %q in it", err, c.want)
			}
			var unknown *core.UnknownPluginError
			if errors.As(err, &unknown) {
				t.Error("the plugin is taken for an unknown one")
			}
			if err := h.Ping(within(t)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestClientFunctionThatFailsFailsTheDispense(t *testing.T) {
	for name, newClient := range map[string]func(*netrpc.Broker, *netrpc.Client) (handle, error){
		"an error":     func(*netrpc.Broker, *netrpc.Client) (handle, error) { return handle{}, errExpected },
		"not its side": nil,
	} {
		t.Run(name, func(t *testing.T) {
			newServer := func(*netrpc.Broker, struct{}) (any, error) { return new(counter), nil }
			h := rigUp(t, netrpc.New(netrpc.Carry(it, newServer, newClient))).connect(t, nil)
			if _, err := h.Dispense(within(t), "it"); err == nil || !strings.Contains(err.Error(), `"it"`) {
				t.Errorf("got %v, want an error with the plugin's name", err)
			}
		})
	}
}

// A peer at a plugin's socket need not be a host.
func TestPluginOutlivesWhateverConnects(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	stays := r.connect(t, nil)
	it := stays.dispense(t)
	it.next(t, 1)

	for range 20 {
		r.raw(t).Close() // go-plugin's check on a reattach
	}
	silent := r.raw(t)
	for name, text := range map[string]string{
		"HTTP":                       "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"another version of yamux":   "\x01\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00",
		"a stream of the wrong side": "\x00\x01\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00",
		"a frame of 4 GiB":           "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff",
	} {
		conn := r.raw(t)
		if _, err := io.WriteString(conn, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: the connection was not ended", name)
		}
	}
	late := r.connect(t, nil).dispense(t)
	late.next(t, 1)
	it.next(t, 2)
	silent.Close()
}

// Gob's own nonsense, on a stream inside a good connection.
func TestPluginOutlivesNonsenseOnItsStreams(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	stays := r.connect(t, nil)
	it := stays.dispense(t)
	for _, text := range []string{"\xf8\x7f\xff\xff\xff\xff\xff\xff\xff", strings.Repeat("\xff", 100), "\x00\x00"} {
		h := r.connect(t, nil)
		conn, err := h.dispense(t).Hijack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("the plugin did not end a stream of %q in order: %v", text, err)
		}
		h.dispense(t).next(t, 1)
	}
	it.next(t, 1)
}

func TestLeavingPluginLetsCallsFinish(t *testing.T) {
	object := &gateway{entered: make(chan struct{}), leave: make(chan struct{})}
	r := rigUp(t, netrpc.New(served(func(*netrpc.Broker) (any, error) { return object, nil })))
	h := r.connect(t, nil)
	it := h.dispense(t)
	call := async(func() error { return it.Call(within(t), "Pass", 1, nil) })
	receive(t, "the call", object.entered)
	r.server.Leave()
	if err := h.Ping(within(t)); err != nil {
		t.Errorf("a ping while the plugin leaves: %v", err)
	}
	select {
	case <-r.quit:
		t.Fatal("the plugin's shutdown functions ran while a call was in flight")
	case err := <-r.served:
		t.Fatalf("Serve returned while a call was in flight: %v", err)
	default:
	}
	close(object.leave)
	if err := receive(t, "the call", call); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	r.served <- receive(t, "Serve", r.served)
}

// gateway lets calls in, and out when it is told to.
type gateway struct{ entered, leave chan struct{} }

func (g *gateway) Pass(ctx context.Context, _ int, _ *int) error {
	g.entered <- struct{}{}
	select {
	case <-g.leave:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestLeavingPluginCutsLongCallsOff(t *testing.T) {
	object := &gateway{entered: make(chan struct{}), leave: make(chan struct{})}
	r := rigWith(t, netrpc.New(served(func(*netrpc.Broker) (any, error) { return object, nil })), 10*time.Millisecond)
	it := r.connect(t, nil).dispense(t)
	call := async(func() error { return it.Call(within(t), "Pass", 1, nil) })
	receive(t, "the call", object.entered)
	r.server.Leave()
	if err := receive(t, "the call's end", call); err == nil {
		t.Error("the call that was cut off returned no error")
	}
	r.served <- receive(t, "Serve", r.served)
}

func TestCallThatComesAfterTheShutdownFunctionsIsRefused(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	h := r.connect(t, nil)
	it := h.dispense(t)
	quit := async(func() error { return h.Quit(within(t)) })
	receive(t, "the shutdown functions", r.quit)
	var n int
	if err := it.Call(within(t), "Next", struct{}{}, &n); err == nil {
		t.Error("the call was answered")
	}
	if err := receive(t, "Quit", quit); err != nil {
		t.Errorf("Quit: %v", err)
	}
}

func TestQuitLetsCallsFinishAndAnswers(t *testing.T) {
	object := &gateway{entered: make(chan struct{}), leave: make(chan struct{})}
	r := rigUp(t, netrpc.New(served(func(*netrpc.Broker) (any, error) { return object, nil })))
	h := r.connect(t, nil)
	it := h.dispense(t)
	call := async(func() error { return it.Call(within(t), "Pass", 1, nil) })
	receive(t, "the call", object.entered)
	quit := async(func() error { return h.Quit(within(t)) })
	if err := h.Ping(within(t)); err != nil {
		t.Errorf("a ping while the plugin leaves: %v", err)
	}
	close(object.leave)
	if err := receive(t, "the call", call); err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	if err := receive(t, "Quit", quit); err != nil {
		t.Errorf("Quit: %v", err)
	}
	r.served <- receive(t, "Serve", r.served)
}

func TestServerThatIsClosedEndsAtOnce(t *testing.T) {
	object := &gateway{entered: make(chan struct{}), leave: make(chan struct{})}
	r := rigUp(t, netrpc.New(served(func(*netrpc.Broker) (any, error) { return object, nil })))
	h := r.connect(t, nil)
	it := h.dispense(t)
	call := async(func() error { return it.Call(within(t), "Pass", 1, nil) })
	receive(t, "the call", object.entered)
	r.server.Close()
	// It ends with its connection, or with the last answer of the method.
	if err := receive(t, "the call", call); err == nil {
		t.Error("the call in flight returned no error")
	}
	receive(t, "the end of the session", h.Done())
	r.served <- receive(t, "Serve", r.served)
	if _, err := net.Dial("unix", r.address); err == nil {
		t.Error("the plugin still listens")
	}
}

// double is a test double. Its expectations fail its test.
type double struct{ t testing.TB }

func (d double) Expect(int, *int) error { d.t.FailNow(); return nil }

func TestMethodOfATestDoubleFailsItsCall(t *testing.T) {
	plugintest.NoLeaks(t)
	transport := netrpc.New(served(func(*netrpc.Broker) (any, error) { return double{new(testing.B)}, nil }))
	cookie := core.Handshake{MagicCookieKey: "NETRPC_TEST", MagicCookieValue: "double"}
	versions := core.Versions{1: {transport}}
	client := plugintest.Launch(t, host.Config{Handshake: cookie, Versions: versions},
		plugin.Config{Handshake: cookie, Versions: versions, Implements: it.Bind(struct{}{})})
	h, err := host.Dispense(within(t), client, it)
	if err != nil {
		t.Fatal(err)
	}
	err = h.Call(within(t), "Expect", 1, nil)
	var remote netrpc.RemoteError
	if !errors.As(err, &remote) || !strings.Contains(err.Error(), "Plugin.Expect") {
		t.Errorf("got %v", err)
	}
	if err := client.Ping(within(t)); err != nil {
		t.Error(err)
	}
}
