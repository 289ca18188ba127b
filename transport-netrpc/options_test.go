package transportnetrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// unheeded is a connection accepted and never served by the other side.
func unheeded(t *testing.T) core.HostLink {
	t.Helper()
	near, far := unixPair(t)
	go func() { _, _ = io.Copy(io.Discard, far) }()
	return core.HostLink{
		Dial:    func(context.Context) (net.Conn, error) { return near, nil },
		Stdout:  io.Discard,
		Stderr:  io.Discard,
		Exited:  make(chan struct{}),
		Explain: func(_ context.Context, err error) error { return err },
	}
}

func TestYamuxSettingsAreTaken(t *testing.T) {
	keepAlive := netrpc.WithYamux(yamux.Config{KeepAlive: time.Millisecond, KeepAliveTimeout: time.Millisecond})
	_, err := netrpc.New(served(newCounter), keepAlive).Dial(within(t), unheeded(t))
	if !errors.Is(err, yamux.ErrKeepAliveTimeout) {
		t.Errorf("got %v, want yamux.ErrKeepAliveTimeout", err)
	}
	bad := netrpc.WithYamux(yamux.Config{Backlog: -1})
	if _, err := netrpc.New(served(newCounter), bad).Dial(within(t), unheeded(t)); !errors.Is(err, yamux.ErrConfig) {
		t.Errorf("got %v, want yamux.ErrConfig", err)
	}
}

func TestDialOfASilentPluginEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := netrpc.New(served(newCounter)).Dial(ctx, unheeded(t))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "does not answer as a net/rpc plugin") {
		t.Errorf("got %v, want the context's error and what it is about", err)
	}
}

func TestBrokerSettingsAreTaken(t *testing.T) {
	impatient := netrpc.WithBroker(broker.Config{UnclaimedTimeout: time.Millisecond})
	it := rigUp(t, netrpc.New(served(newUser), impatient)).connect(t, nil).dispense(t)
	if _, err := it.broker.Dial(within(t), 4711); !errors.Is(err, broker.ErrUnclaimed) {
		t.Errorf("got %v, want broker.ErrUnclaimed", err)
	}
}

func TestCallsAreBoundedAsTold(t *testing.T) {
	object := &gateway{entered: make(chan struct{}, 2), leave: make(chan struct{})}
	objects := served(func(*netrpc.Broker) (any, error) { return object, nil })
	it := rigUp(t, netrpc.New(objects, netrpc.WithMaxConcurrentCalls(1))).connect(t, nil).dispense(t)
	first := async(func() error { return it.Call(within(t), "Pass", 1, nil) })
	receive(t, "the first call", object.entered)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := it.Call(ctx, "Pass", 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second call returned %v", err)
	}
	if len(object.entered) > 0 {
		t.Error("a second call ran beside the first")
	}
	close(object.leave)
	if err := receive(t, "the first call", first); err != nil {
		t.Error(err)
	}
}

func TestTransportAnnouncesNothing(t *testing.T) {
	transport := netrpc.New()
	transport.HostEnv(func(key, value string) { t.Errorf("%s=%s was set", key, value) })
	if transport.Protocol() != core.NetRPC {
		t.Errorf("the protocol is %q", transport.Protocol())
	}
	h := rigUp(t, transport).connect(t, nil)
	_, err := h.Dispense(within(t), "it")
	var unknown *core.UnknownPluginError
	if !errors.As(err, &unknown) || unknown.Known == nil {
		t.Errorf("got %v, want a core.UnknownPluginError that knows there are no names", err)
	}
}

// TestPackageLinksNothingHeavy holds down what this package alone drags along. What
// a whole program requires and weighs is measured by tools/weight.
func TestPackageLinksNothingHeavy(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs: go on the PATH")
	}
	output, err := exec.CommandContext(within(t), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Fields(string(output))
	for _, heavy := range []string{"net/http", "html/template", "text/template", "net/rpc", "testing"} {
		if slices.Contains(packages, heavy) {
			t.Errorf("this package links %s", heavy)
		}
	}
	for _, path := range packages {
		if strings.HasPrefix(path, "google.golang.org/") || strings.Contains(path, "hashicorp/") {
			t.Errorf("this package links %s", path)
		}
	}
}
