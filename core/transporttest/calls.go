package transporttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// callTests try calls on a running plugin.
var callTests = map[string]func(*testing.T, *fixture){
	"carries arguments and answers of any size": echo,
	"carries errors":         carryErrors,
	"says which names exist": unknownName,
	"leaves a call when its context ends, and goes on":          abandonCall,
	"runs calls at the same time":                               parallelCalls,
	"dispenses again and again":                                 dispenseAgain,
	"answers a ping, and leaves one whose context has ended":    ping,
	"closes in order and fails later calls instead of hanging":  closeInOrder,
	"ends a call in flight when it is closed":                   closeDuringCall,
	"lets many close at the same time":                          closeAtOnce,
	"refuses what the host asks for under a type that is wrong": wrongType,
}

func echo(t *testing.T, f *fixture) {
	for _, size := range []int{0, 1, 64, 4 << 10, 64 << 10, 1 << 20} {
		text := strings.Repeat("x", size)
		got, err := f.probe.Echo(within(t), text)
		if err != nil || got != text {
			t.Fatalf("Echo of %d bytes: got %d bytes, error %v", size, len(got), err)
		}
	}
}

func carryErrors(t *testing.T, f *fixture) {
	err := f.probe.Fail(within(t), "the third shelf is empty")
	if err == nil || !strings.Contains(err.Error(), "the third shelf is empty") {
		t.Fatalf("got error %v, want one with the plugin's text", err)
	}
	if _, err := f.probe.Echo(within(t), "still there"); err != nil {
		t.Fatalf("after an error: %v", err)
	}
}

func unknownName(t *testing.T, f *fixture) {
	_, err := f.client.Dispense(within(t), "nonesuch")
	var unknown *core.UnknownPluginError
	if !errors.As(err, &unknown) {
		t.Fatalf("got %v, want a core.UnknownPluginError", err)
	}
	if unknown.Name != "nonesuch" || !slices.Contains(unknown.Known, Plugin.Name()) {
		t.Errorf("got %+v, want the name that was asked for and the ones that exist", unknown)
	}
}

func wrongType(t *testing.T, f *fixture) {
	_, err := host.Dispense(within(t), f.client, core.Define[fmt.Stringer](Plugin.Name()))
	var wrong *core.TypeError
	if !errors.As(err, &wrong) || wrong.Want == nil || wrong.Got == nil {
		t.Fatalf("got %v, want a core.TypeError with both types", err)
	}
}

func abandonCall(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(within(t))
	returned := make(chan error, 1)
	go func() { returned <- f.probe.Block(ctx) }()
	if _, err := f.probe.Echo(within(t), "while another call blocks"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-returned; !errors.Is(err, context.Canceled) {
		t.Fatalf("the abandoned call returned %v, want context.Canceled", err)
	}
	ended, cancel := context.WithCancel(within(t))
	cancel()
	if _, err := f.probe.Echo(ended, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a call whose context has ended returned %v, want context.Canceled", err)
	}
	if _, err := f.probe.Echo(within(t), "afterwards"); err != nil {
		t.Fatalf("after an abandoned call: %v", err)
	}
}

func parallelCalls(t *testing.T, f *fixture) {
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() {
			text := fmt.Sprintf("%d %s", i, strings.Repeat("y", i*997))
			if got, err := f.probe.Echo(within(t), text); err != nil || got != text {
				t.Errorf("call %d: got %d bytes, want %d; error %v", i, len(got), len(text), err)
			}
		})
	}
	calls.Wait()
}

func dispenseAgain(t *testing.T, f *fixture) {
	for range 20 {
		p, err := host.Dispense(within(t), f.client, Plugin)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Echo(within(t), "hello"); err != nil || got != "hello" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

func ping(t *testing.T, f *fixture) {
	if err := f.client.Ping(within(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if err := f.client.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func closeInOrder(t *testing.T, f *fixture) {
	if err := f.client.Stop(within(t)); err != nil {
		t.Fatalf("Close: %v", err)
	}
	f.checkGone(t)
	if err := f.client.Err(); err != nil {
		t.Errorf("Err after an orderly end: %v", err)
	}
	if log := f.log.String(); log != "" {
		t.Errorf("an orderly end logs nothing above debug; got\n%s", log)
	}
	if _, err := f.probe.Echo(within(t), "x"); !errors.Is(err, core.ErrClosed) {
		t.Errorf("a call after the end returned %v, want core.ErrClosed", err)
	}
	if _, err := f.client.Dispense(within(t), Plugin.Name()); err == nil {
		t.Error("Dispense after the end returned no error")
	}
	if err := f.client.Ping(within(t)); err == nil {
		t.Error("Ping after the end returned no error")
	}
	if err := f.client.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func closeDuringCall(t *testing.T, f *fixture) {
	returned := make(chan error, 1)
	go func() { returned <- f.probe.Block(within(t)) }()
	if _, err := f.probe.Echo(within(t), "the other call is under way"); err != nil {
		t.Fatal(err)
	}
	if err := f.client.Stop(within(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	// The plugin's method may still get its answer through when its context
	// ends with the connection.
	if err := <-returned; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call in flight returned %v, want an error", err)
	}
}

func closeAtOnce(t *testing.T, f *fixture) {
	var closers sync.WaitGroup
	for range 8 {
		closers.Go(func() {
			if err := f.client.Stop(within(t)); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	closers.Wait()
	f.checkGone(t)
}

// checkGone expects no remains of the plugin.
func (f *fixture) checkGone(t *testing.T) {
	t.Helper()
	select {
	case <-f.client.Done():
	default:
		t.Error("Done is not closed after the end")
	}
}
