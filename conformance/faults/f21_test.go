//go:build unix

package faults

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
)

// TestF21: the host reads the negotiated version during the plugin's start.
func TestF21(t *testing.T) {
	t.Run("goplugin", testF21GoPlugin)
	t.Run("jackfield", testF21Jackfield)
}

// runsF21 is the number of hosts, each with one start.
const runsF21 = 10

func testF21GoPlugin(t *testing.T) {
	if !raceEnabled {
		t.Skip("only with -race, to detect a data race")
	}
	w := newWorld(t)
	races := 0
	for range runsF21 {
		_, stderr, status := w.runHost(t, "goplugin/host of F21", "", "GORACE=atexit_sleep_ms=0 exitcode=66")
		if status == exitBadRole {
			t.Fatalf("host: %s", stderr)
		}
		if strings.Contains(stderr, "WARNING: DATA RACE") && strings.Contains(stderr, "NegotiatedVersion") {
			races++
		}
	}
	t.Logf("the race detector reported a race in %d of %d starts", races, runsF21)
}

// playHostF21 is a host: it reads the version continuously during a start.
func playHostF21(w world, _ string) int {
	s, err := w.subject("goplugin/plugin", "", nil)
	if err != nil {
		return exitBadRole
	}
	defer s.Kill()
	var startErr error
	started := running(func() { _, startErr = s.Start() })
	for over := false; !over; {
		s.NegotiatedVersion()
		select {
		case <-started:
			over = true
		default:
		}
	}
	if startErr != nil {
		return exitBadRole
	}
	return 0
}

// testF21Jackfield launches one configuration many times concurrently and reads the version
// from everywhere. A client exists only after the version is known. The race detector, if
// built in, watches.
func testF21Jackfield(t *testing.T) {
	w := newWorld(t)
	cfg, _ := w.jackfield(t, "jackfield/plugin", "")
	var all sync.WaitGroup
	for range runsF21 {
		all.Go(func() {
			client, err := host.Launch(bounded(t), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			var readers sync.WaitGroup
			for range 4 {
				readers.Go(func() {
					if got := client.NegotiatedVersion(); got != 1 {
						t.Errorf("version %d, expected 1", got)
					}
				})
			}
			if err := client.Stop(bounded(t)); err != nil {
				t.Error(err)
			}
			readers.Wait()
		})
	}
	all.Wait()
	w.expectGone(t)
}
