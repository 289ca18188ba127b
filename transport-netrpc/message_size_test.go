package transportnetrpc_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// repeater makes texts as large as it is asked to, and takes any.
type repeater struct{}

func (repeater) Repeat(n int, text *string) error { *text = strings.Repeat("x", n); return nil }

func (repeater) Length(text string, n *int) error { *n = len(text); return nil }

func newRepeater(*netrpc.Broker) (any, error) { return repeater{}, nil }

const smallMessages = 64 << 10

func TestHostGoesOnAfterAnOversizedAnswer(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newRepeater)))
	h := (&rig{
		transport: netrpc.New(served(newRepeater), netrpc.WithMaxMessageSize(smallMessages)),
		address:   r.address,
	}).connect(t, nil)
	it, other := h.dispense(t), h.dispense(t)

	var text string
	err := it.Call(within(t), "Repeat", smallMessages+1, &text)
	var tooLarge *netrpc.MessageSizeError
	if !errors.As(err, &tooLarge) || tooLarge.Size <= smallMessages || tooLarge.Limit != smallMessages {
		t.Errorf("the call returned %v", err)
	}
	if err := it.Call(within(t), "Repeat", 1, &text); !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("a later call returned %v", err)
	}
	for name, client := range map[string]handle{"before": other, "after": h.dispense(t)} {
		if err := client.Call(within(t), "Repeat", smallMessages/2, &text); err != nil || len(text) != smallMessages/2 {
			t.Errorf("what was dispensed %s it: %d bytes, %v", name, len(text), err)
		}
	}
	if err := h.Ping(within(t)); err != nil {
		t.Error(err)
	}
}

func TestPluginGoesOnAfterOversizedArguments(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newRepeater), netrpc.WithMaxMessageSize(smallMessages)))
	h := (&rig{transport: netrpc.New(served(newRepeater)), address: r.address}).connect(t, nil)
	it := h.dispense(t)

	var n int
	if err := it.Call(within(t), "Length", strings.Repeat("x", 4<<20), &n); !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("the call returned %v", err)
	}
	r.pluginLog.wait(t, "too large")
	if err := h.dispense(t).Call(within(t), "Length", "hello", &n); err != nil || n != 5 {
		t.Errorf("got %d, %v", n, err)
	}
}

// netrpcHeader is both a request's and an answer's.
type netrpcHeader struct {
	ServiceMethod string
	Seq           uint64
}

// gigabyte is a header of net/rpc and the announcement of a body of 2^30 bytes.
func gigabyte(t *testing.T, method string) []byte {
	t.Helper()
	var message bytes.Buffer
	if err := gob.NewEncoder(&message).Encode(netrpcHeader{method, 1}); err != nil {
		t.Fatal(err)
	}
	return append(message.Bytes(), 0xfc, 0x40, 0, 0, 0)
}

func TestPluginTakesNoGigabyteForItsControlServices(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter), netrpc.WithMaxMessageSize(2<<30)))
	for _, method := range []string{"Control.Ping", "Control.Quit", "Dispenser.Dispense", "Nonesuch"} {
		mux, err := yamux.Client(r.raw(t), yamux.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var streams [3]*yamux.Stream
		for i := range streams {
			if streams[i], err = mux.Open(within(t)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := streams[0].Write(gigabyte(t, method)); err != nil {
			t.Fatal(err)
		}
		hungUp := async(func() error { _, err := io.Copy(io.Discard, streams[0]); return err })
		_ = receive(t, method, hungUp)
		r.pluginLog.wait(t, "a message of 1073741824 bytes")
		mux.Close()
	}
}

func TestHostTakesNoGigabyteFromAPluginsControlServices(t *testing.T) {
	for name, call := range map[string]func(h *testHost) error{
		"Ping":     func(h *testHost) error { return h.Ping(within(t)) },
		"Dispense": func(h *testHost) error { _, err := h.Dispense(within(t), "it"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			conn, plugin := unixPair(t)
			answer := gigabyte(t, "")
			lied := async(func() error { return answerFirst(within(t), plugin, answer) })
			h := (&rig{transport: netrpc.New(served(newCounter), netrpc.WithMaxMessageSize(2<<30))}).connect(t, func(l *core.HostLink) {
				l.Dial = func(context.Context) (net.Conn, error) { return conn, nil }
			})
			called := async(func() error { return call(h) })
			if err := receive(t, "the plugin", lied); err != nil {
				t.Error(err)
			}
			var tooLarge *netrpc.MessageSizeError
			if err := receive(t, name, called); !errors.As(err, &tooLarge) || tooLarge.Limit > 1<<20 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// answerFirst is a plugin answering the first call on the control stream with
// these bytes.
func answerFirst(ctx context.Context, conn net.Conn, answer []byte) error {
	mux, err := yamux.Server(conn, yamux.Config{})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { mux.Close() })
	var streams [3]*yamux.Stream
	for i := range streams {
		if streams[i], err = mux.Accept(ctx); err != nil {
			return err
		}
	}
	if _, err := streams[0].Read(make([]byte, 1)); err != nil {
		return err
	}
	_, err = streams[0].Write(answer)
	return err
}
