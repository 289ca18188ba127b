//go:build unix

package faults

import (
	"strconv"
	"syscall"
	"testing"
)

// TestF10: the plugin gets SIGTERM.
func TestF10(t *testing.T) {
	t.Run("goplugin", testF10GoPlugin)
	t.Run("jackfield", testF10Jackfield)
}

func testF10GoPlugin(t *testing.T) {
	w := newWorld(t)
	s := w.goplugin(t, "goplugin/plugin", "", nil)
	s.mustProbe(t)
	if err := syscall.Kill(s.ReattachConfig().Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	record, err := s.log.WaitFor(t.Context(), "plugin process exited")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("process: %v; sockets left: %d", record.Value("error"), len(w.sockets(t)))
	if got := len(w.sockets(t)); got != 1 {
		t.Errorf("%d sockets left, expected 1", got)
	}
	s.Kill()
	if got := len(w.sockets(t)); got != 1 {
		t.Errorf("%d sockets left after the host's kill, expected 1", got)
	}
}

// testF10Jackfield sends the signal to our plugin under either host, and to go-plugin's
// plugin under ours: no socket is left.
func testF10Jackfield(t *testing.T) {
	t.Run("our plugin, go-plugin's host", func(t *testing.T) {
		w := newWorld(t)
		s := w.goplugin(t, "jackfield/plugin", "", nil)
		s.mustProbe(t)
		if got := len(w.sockets(t)); got != 1 {
			t.Errorf("%d sockets before the signal, expected 1", got)
		}
		if err := syscall.Kill(s.ReattachConfig().Pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		record, err := s.log.WaitFor(t.Context(), "plugin process exited")
		if err != nil {
			t.Fatal(err)
		}
		if status := record.Value("error"); status != nil {
			t.Errorf("the plugin's end: %v, expected an orderly one", status)
		}
		w.expectGone(t)
	})
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		s := w.launch(t, role, "")
		pid, err := strconv.Atoi(s.ID())
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		t.Log(s.Err())
		w.expectGone(t)
	})
}
