//go:build unix

package faults

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// TestF9: the plugin dies while its child process holds its standard error.
func TestF9(t *testing.T) {
	t.Run("goplugin", testF9GoPlugin)
	t.Run("jackfield", testF9Jackfield)
}

// heldF9 is the lifetime of the plugin's child.
const heldF9 = 1500 * time.Millisecond

func testF9GoPlugin(t *testing.T) {
	w := newWorld(t)
	release := w.fifo(t, "holder")
	s := w.goplugin(t, "goplugin/plugin", "", nil)
	t.Cleanup(release) // before the kill, because newWorld's cleanups wait for it
	probe := s.mustProbe(t)
	if err := probe.Call(t.Context(), "LeaveHolder", "holder", new(int)); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(s.ReattachConfig().Pid)
	callErr := probe.Exit(t.Context(), 1)
	if !poll(5*time.Second, func() bool { return !w.running(pid) }) {
		t.Fatal("the plugin did not die")
	}
	began := time.Now()
	killed := running(s.Kill)
	if within(heldF9, killed) {
		t.Errorf("kill returned after %v", time.Since(began))
	}
	if s.Exited() {
		t.Error("go-plugin knows that its plugin exited")
	}
	release()
	if !within(5*time.Second, killed) {
		t.Fatal("kill does not return once the last holder is gone")
	}
	t.Logf("call: %v; %v after the plugin's death: not exited; kill took %v, all of the holder's life",
		callErr, heldF9, time.Since(began).Round(time.Millisecond))
}

// testF9Jackfield detects the plugin's end while the holder is still alive.
func testF9Jackfield(t *testing.T) {
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		release := w.fifo(t, "holder")
		t.Cleanup(release)
		s := w.launch(t, role, "")
		if err := s.Call(bounded(t), "LeaveHolder", "holder", new(int)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := s.Exit(bounded(t), 1)
		var exit *core.ExitError
		if !errors.As(err, &exit) || exit.Code != 1 {
			t.Errorf("call: %v, expected a core.ExitError with status 1", err)
		}
		called := time.Since(began)
		<-s.Done()
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		took := time.Since(began)
		t.Logf("the call failed after %v, all was gone after %v: %v",
			called.Round(time.Millisecond), took.Round(time.Millisecond), err)
		if took > heldF9 {
			t.Errorf("close took %v while the holder lives", took)
		}
		w.expectGone(t)
	})
}
