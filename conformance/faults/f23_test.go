//go:build unix

package faults

import "testing"

// TestF23: a multiplexed plugin gets an orderly end.
func TestF23(t *testing.T) {
	t.Run("goplugin", testF23GoPlugin)
	t.Run("jackfield", testF23Jackfield)
}

// runsF23 is the number of runs.
const runsF23 = 5

func testF23GoPlugin(t *testing.T) {
	w := newWorld(t)
	for range runsF23 {
		s := w.goplugingrpc(t, theirGRPCRole, true)
		expectEcho(t, s.mustGRPCProbe(t))
		s.Kill()
		if ended := s.log.Ended(); ended.Killed || ended.Status != "" {
			t.Errorf("the end was not in order: %+v", ended)
		}
	}
	left := len(w.sockets(t))
	t.Logf("%d orderly kills: %d sockets left", runsF23, left)
	if left != runsF23 {
		t.Errorf("%d sockets left, expected %d", left, runsF23)
	}
}

// testF23Jackfield ends our plugin under either host, and go-plugin's plugin under ours.
func testF23Jackfield(t *testing.T) {
	t.Run("go-plugin's host, our plugin", func(t *testing.T) {
		w := newWorld(t)
		for range runsF23 {
			s := w.goplugingrpc(t, ourGRPCRole, true)
			expectEcho(t, s.mustGRPCProbe(t))
			s.Kill()
		}
		w.expectGone(t)
	})
	eachGRPCPlugin(t, func(t *testing.T, role string) {
		w := newWorld(t)
		for range runsF23 {
			s := w.launchGRPC(t, role, true)
			expectEcho(t, s.probe.Client)
			if err := s.Stop(bounded(t)); err != nil {
				t.Error(err)
			}
		}
		w.expectGone(t)
	})
}
