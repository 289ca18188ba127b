package transportnetrpc_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// dialled are the connections of a host, for a test to cut.
type dialled struct {
	mu      sync.Mutex
	conns   []net.Conn
	instead func(ctx context.Context) (net.Conn, error) // of a further one
}

// through makes a host dial through d.
func (d *dialled) through(link *core.HostLink) {
	inner := link.Dial
	link.Dial = func(ctx context.Context) (net.Conn, error) {
		d.mu.Lock()
		instead := d.instead
		d.mu.Unlock()
		if instead != nil {
			return instead(ctx)
		}
		conn, err := inner(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.conns = append(d.conns, conn)
		return conn, err
	}
}

func (d *dialled) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// cut ends the last connection, and waits until the host has noticed.
func (d *dialled) cut(t *testing.T, h *testHost) {
	t.Helper()
	lost := h.Done()
	d.mu.Lock()
	d.conns[len(d.conns)-1].Close()
	d.mu.Unlock()
	receive(t, "the loss", lost)
}

func TestLostConnectionIsMadeAgainByTheNextDispense(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	d := new(dialled)
	h := r.connect(t, d.through)
	old := h.dispense(t)
	old.next(t, 1)
	for range 3 {
		d.cut(t, h)
		err := old.Call(within(t), "Next", struct{}{}, nil)
		if !errors.Is(err, core.ErrConnectionLost) || !strings.Contains(err.Error(), "dispense again") {
			t.Errorf("a call on what was lost: %v", err)
		}
		fresh := h.dispense(t)
		fresh.next(t, 1)
		if err := old.Call(within(t), "Next", struct{}{}, nil); !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("a call on what was lost, later: %v", err)
		}
		if err := h.Ping(within(t)); err != nil {
			t.Error(err)
		}
		old = fresh
	}
	if _, err := r.stdout.Write([]byte("printed\n")); err != nil {
		t.Fatal(err)
	}
	h.stdout.wait(t, "printed\n")
	h.log.wait(t, "a new one was made")
	quitting := async(func() error { return h.Quit(within(t)) })
	if err := receive(t, "Quit", quitting); err != nil {
		t.Error(err)
	}
}

func TestLostConnectionIsMadeAgainOnceForAll(t *testing.T) {
	d := new(dialled)
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, d.through)
	d.cut(t, h)
	var users sync.WaitGroup
	for range 16 {
		users.Go(func() {
			if _, err := h.Dispense(within(t), "it"); err != nil {
				t.Error(err)
			}
			if err := h.Ping(within(t)); err != nil {
				t.Error(err)
			}
		})
	}
	users.Wait()
	if n := d.count(); n != 2 {
		t.Errorf("%d connections were made", n)
	}
}

func TestQuitAfterALostConnectionSaysSoAtOnce(t *testing.T) {
	d := new(dialled)
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, d.through)
	d.cut(t, h)
	if err := h.Quit(within(t)); !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("got %v", err)
	}
	if n := d.count(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestEndedPluginGetsNoConnection(t *testing.T) {
	d := new(dialled)
	exited := make(chan struct{})
	exit := &core.ExitError{Plugin: "plugin", Status: "exit status 9"}
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, func(l *core.HostLink) {
		d.through(l)
		l.Exited = exited
		l.Explain = func(_ context.Context, err error) error { return errors.Join(err, exit) }
	})
	close(exited)
	d.cut(t, h)
	if _, err := h.Dispense(within(t), "it"); !errors.Is(err, exit) || !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("dispense: %v", err)
	}
	if err := h.Ping(within(t)); !errors.Is(err, exit) {
		t.Errorf("ping: %v", err)
	}
	if n := d.count(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestPluginThatRefusesANewConnectionIsLost(t *testing.T) {
	d := new(dialled)
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, d.through)
	d.cut(t, h)
	d.instead = func(context.Context) (net.Conn, error) { return nil, errExpected }
	if _, err := h.Dispense(within(t), "it"); !errors.Is(err, core.ErrConnectionLost) || !errors.Is(err, errExpected) {
		t.Errorf("got %v", err)
	}
	d.instead = nil
	h.dispense(t).next(t, 1)
}

func TestCloseAndContextsEndTheMakingOfAConnection(t *testing.T) {
	d := new(dialled)
	h := rigUp(t, netrpc.New(served(newCounter))).connect(t, d.through)
	d.cut(t, h)
	dialling := make(chan struct{}, 2)
	d.instead = func(ctx context.Context) (net.Conn, error) {
		dialling <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithCancelCause(within(t))
	dispensing := async(func() error { _, err := h.Dispense(ctx, "it"); return err })
	receive(t, "the dial", dialling)
	waiting := async(func() error { return h.Ping(ctx) })
	cancel(errExpected)
	for what, c := range map[string]<-chan error{"Dispense": dispensing, "Ping": waiting} {
		if err := receive(t, what, c); !errors.Is(err, errExpected) {
			t.Errorf("%s: %v", what, err)
		}
	}
	dispensing = async(func() error { _, err := h.Dispense(within(t), "it"); return err })
	receive(t, "the second dial", dialling)
	closing := async(h.Close)
	if err := receive(t, "Dispense", dispensing); !errors.Is(err, core.ErrClosed) {
		t.Errorf("Dispense during Close: %v", err)
	}
	_ = receive(t, "Close", closing)
	if _, err := h.Dispense(within(t), "it"); !errors.Is(err, core.ErrClosed) && !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("Dispense after Close: %v", err)
	}
}
