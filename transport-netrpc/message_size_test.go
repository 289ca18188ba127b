package transportnetrpc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// repeater makes texts as large as it is asked to, and takes any.
type repeater struct{}

func (repeater) Repeat(n int, text *string) error { *text = strings.Repeat("x", n); return nil }

func (repeater) Length(text string, n *int) error { *n = len(text); return nil }

func newRepeater(*netrpc.Broker) (any, error) { return repeater{}, nil }

const smallMessages = 64 << 10

func TestAHostGoesOnAfterAnAnswerThatIsTooLarge(t *testing.T) {
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

func TestAPluginGoesOnAfterArgumentsThatAreTooLarge(t *testing.T) {
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
