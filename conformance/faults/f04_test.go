//go:build unix

package faults

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestF4: more than 64 KiB without a newline arrive on the process's own standard output
// after the handshake.
func TestF4(t *testing.T) {
	t.Run("goplugin", testF4GoPlugin)
	t.Run("jackfield", testF4Jackfield)
}

func testF4GoPlugin(t *testing.T) {
	s := newWorld(t).goplugin(t, "goplugin/plugin", "", nil)
	probe := s.mustProbe(t)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var written int
	if err := probe.Call(ctx, "Flood", 32<<10, &written); err != nil {
		t.Fatalf("32 KiB: %v", err)
	}
	err := probe.Call(ctx, "Flood", 256<<10, new(int))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("256 KiB: got %v, expected a call that does not return", err)
	}
	record, found := s.log.Find("error encountered while scanning stdout")
	if !found {
		t.Error("the host did not log that it stopped reading")
	}
	t.Logf("after 2 s the plugin is still writing; the host logged: %v", record)
	if _, err := probe.Echo(t.Context(), "still here"); err != nil {
		t.Errorf("the rest of the plugin: %v", err)
	}
}

// testF4Jackfield floods our host: it continues to read, with either library's plugin.
// Output of our plugin reaches the same writer as its prints.
func testF4Jackfield(t *testing.T) {
	const size = 1 << 20
	eachPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		cfg, log := w.jackfield(t, role, "")
		var stdout lockedBuffer
		cfg.Outputs.PrintedStdout = &stdout
		s := launchConfig(t, cfg)
		s.log = log
		var written int
		if err := s.Call(bounded(t), "Flood", size, &written); err != nil || written != size {
			t.Fatalf("wrote %d bytes, %v", written, err)
		}
		s.expectAlive(t)
		s.closeInOrder(t)
		if got := len(stdout.String()); role == "jackfield/plugin" && got != size {
			t.Errorf("%d bytes reached Config.Stdout, expected %d", got, size)
		}
	})
}
