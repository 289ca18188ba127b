//go:build unix

package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// TestF24: an orderly kill over net/rpc, many times.
func TestF24(t *testing.T) {
	t.Run("goplugin", testF24GoPlugin)
	t.Run("jackfield", testF24Jackfield)
}

// runsF24 is the number of plugins to launch, call once and kill. Under the race detector
// each takes about five times as long.
func runsF24() int {
	if raceEnabled {
		return 60
	}
	return 200
}

func testF24GoPlugin(t *testing.T) {
	w, runs := newWorld(t), runsF24()
	forced, loud := 0, 0
	messages := make(map[string]int)
	durations := make([]time.Duration, 0, runs)
	for range runs {
		s := w.goplugin(t, "goplugin/plugin", "", nil)
		probe := s.mustProbe(t)
		if _, err := probe.Echo(t.Context(), "hello"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s.Kill()
		durations = append(durations, time.Since(began))
		if s.log.Ended().Killed {
			forced++
		}
		lines := s.log.AtLeast(hclog.Warn)
		if len(lines) > 0 {
			loud++
		}
		for _, line := range lines {
			messages[line]++
		}
	}
	slices.Sort(durations)
	t.Logf("%d orderly kills: %d ended as forced ones, %d logged at warning or above; median %v, p99 %v, longest %v",
		runs, forced, loud, quantile(durations, 0.5), quantile(durations, 0.99), quantile(durations, 1))
	for message, times := range messages {
		t.Logf("%d times: %s", times, message)
	}
}

// quantile picks from sorted durations, and rounds to hundredths of a millisecond.
func quantile(sorted []time.Duration, q float64) time.Duration {
	index := min(int(q*float64(len(sorted))), len(sorted)-1)
	return sorted[index].Round(10 * time.Microsecond)
}

// testF24Jackfield closes our plugin as often: no close is forced, and none logs anything.
func testF24Jackfield(t *testing.T) {
	t.Run("our host", func(t *testing.T) {
		eachPlugin(t, func(t *testing.T, role string) {
			w, runs := newWorld(t), runsF24()*3/2
			durations := make([]time.Duration, 0, runs)
			for range runs {
				s := w.launch(t, role, "")
				s.expectAlive(t)
				began := time.Now()
				err := s.Close()
				durations = append(durations, time.Since(began))
				if err != nil {
					t.Errorf("close: %v", err)
				}
				if text := s.log.loud.String(); text != "" {
					t.Errorf("logged above debug: %s", text)
				}
			}
			slices.Sort(durations)
			t.Logf("%s: %d orderly closes, none forced, nothing logged above debug; median %v, p99 %v, longest %v",
				role, runs, quantile(durations, 0.5), quantile(durations, 0.99), quantile(durations, 1))
			w.expectGone(t)
		})
	})
	t.Run("go-plugin's host, our plugin", func(t *testing.T) {
		w, runs := newWorld(t), runsF24()/2
		durations := make([]time.Duration, 0, runs)
		for range runs {
			s := w.goplugin(t, "jackfield/plugin", "", nil)
			s.mustProbe(t)
			began := time.Now()
			s.Kill()
			durations = append(durations, time.Since(began))
			if lines := s.log.AtLeast(hclog.Warn); s.log.Ended().Killed || len(lines) > 0 {
				t.Errorf("killed: %v; logged: %q", s.log.Ended().Killed, lines)
			}
		}
		slices.Sort(durations)
		t.Logf("%d orderly kills, none forced, nothing logged; median %v, p99 %v, longest %v",
			runs, quantile(durations, 0.5), quantile(durations, 0.99), quantile(durations, 1))
		w.expectGone(t)
	})
}
