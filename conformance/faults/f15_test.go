//go:build unix

package faults

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestF15: over net/rpc, an ID is dialled twice without an acceptor.
func TestF15(t *testing.T) {
	t.Run("goplugin", testF15GoPlugin)
	t.Run("jackfield", testF15Jackfield)
}

// unclaimedF15 is the ID without an acceptor.
const unclaimedF15 = 4242

// testF15GoPlugin repeats the dials until the broker is stuck: the first dial's end races with
// the second.
func testF15GoPlugin(t *testing.T) {
	const tries = 12
	for try := range tries {
		if isStuckF15(t) {
			t.Logf("stuck at try %d", try+1)
			return
		}
	}
	t.Errorf("in none of %d tries the broker was stuck", tries)
}

func isStuckF15(t *testing.T) bool {
	w := newWorld(t)
	s := w.goplugin(t, "goplugin/plugin", "", nil)
	probe := s.mustProbe(t)

	type outcome struct {
		err  error
		took time.Duration
	}
	outcomes := make(chan outcome, 2)
	began := time.Now()
	for range 2 {
		go func() {
			_, err := probe.Broker().Dial(unclaimedF15)
			outcomes <- outcome{err, time.Since(began)}
		}()
	}
	var first outcome
	select {
	case first = <-outcomes:
	case <-time.After(patience):
		t.Fatal("neither dial ended")
	}
	t.Logf("first dial to end: %v after %v", first.err, first.took.Round(time.Millisecond))
	if first.err == nil {
		t.Error("a dial of an unaccepted ID succeeded")
	}

	// A stuck broker makes the instance but never the connection to it.
	dispensed := running(func() { _, _ = s.probe() })
	if within(time.Second, dispensed) || len(outcomes) != 0 {
		return false
	}
	if _, err := probe.Echo(t.Context(), "still here"); err != nil {
		t.Errorf("the connection from before: %v", err)
	}
	t.Logf("%v after the first dial began: second dial and later dispense hang, the instance from before answers",
		time.Since(began).Round(time.Millisecond))
	return true
}

// testF15Jackfield repeats the dials with our plugin, from either host: they block nothing
// else.
func testF15Jackfield(t *testing.T) {
	t.Run("go-plugin's host", func(t *testing.T) {
		w := newWorld(t)
		s := w.goplugin(t, "jackfield/plugin", "", nil)
		probe := s.mustProbe(t)
		for range 2 {
			go func() { _, _ = probe.Broker().Dial(unclaimedF15) }() // until the kill
		}
		if _, err := probe.Echo(bounded(t), "after both"); err != nil {
			t.Errorf("the connection from before: %v", err)
		}
		if !within(patience, running(func() {
			if _, err := s.probe(); err != nil {
				t.Errorf("dispense: %v", err)
			}
		})) {
			t.Error("a dispense after both dials hangs")
		}
	})
	t.Run("our host", func(t *testing.T) {
		s := newWorld(t).launch(t, "jackfield/plugin", "")
		ctx, cancel := context.WithCancel(bounded(t))
		dialled := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := s.Conns.Dial(ctx, unclaimedF15)
				dialled <- err
			}()
		}
		s.expectAlive(t)
		if _, err := s.Dispense(bounded(t), probeName); err != nil {
			t.Errorf("dispense: %v", err)
		}
		cancel()
		for range 2 {
			if err := <-dialled; !errors.Is(err, context.Canceled) {
				t.Errorf("dial: %v, expected context.Canceled", err)
			}
		}
		s.closeInOrder(t)
	})
}
