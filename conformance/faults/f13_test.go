//go:build unix

package faults

import (
	"testing"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// TestF13: a call prints, and an orderly end of the plugin follows directly.
func TestF13(t *testing.T) {
	t.Run("goplugin", testF13GoPlugin)
	t.Run("jackfield", testF13Jackfield)
}

// runsF13 is the number of runs.
const runsF13 = 100

// These are the printed texts.
const (
	stdoutF13 = "last words\n"
	stderrF13 = "last errors\n"
)

func printF13(t *testing.T, client *grpcprobe.Client) {
	t.Helper()
	if _, err := client.Print(bounded(t), &conformancev1.PrintRequest{Stdout: stdoutF13, Stderr: stderrF13}); err != nil {
		t.Fatal(err)
	}
}

// lostF13 counts the runs of a go-plugin host with lost output.
func lostF13(t *testing.T, role string) int {
	t.Helper()
	w, lost := newWorld(t), 0
	for range runsF13 {
		var stdout, stderr lockedBuffer
		s := w.goplugingrpcStdio(t, role, &stdout, &stderr)
		printF13(t, s.mustGRPCProbe(t))
		s.Kill()
		if stdout.String() != stdoutF13 || stderr.String() != stderrF13 {
			lost++
		}
	}
	return lost
}

func testF13GoPlugin(t *testing.T) {
	t.Logf("printed last, then an orderly kill: something was lost in %d of %d runs", lostF13(t, theirGRPCRole), runsF13)
}

// testF13Jackfield loses nothing between two sides of ours. go-plugin's plugin does not
// wait for its output, and go-plugin's host does not wait until it has written everything.
func testF13Jackfield(t *testing.T) {
	eachBroker(t, func(t *testing.T, multiplexed bool) {
		w := newWorld(t)
		for run := range runsF13 {
			s := w.launchGRPC(t, ourGRPCRole, multiplexed)
			printF13(t, s.probe.Client)
			s.closeInOrder(t)
			if s.stdout.String() != stdoutF13 || s.stderr.String() != stderrF13 {
				t.Errorf("run %d: got %q and %q", run, s.stdout.String(), s.stderr.String())
			}
		}
	})
	t.Run("our host, go-plugin's plugin", func(t *testing.T) {
		w, lost := newWorld(t), 0
		for range runsF13 {
			s := w.launchGRPC(t, theirGRPCRole, false)
			printF13(t, s.probe.Client)
			s.closeInOrder(t)
			if s.stdout.String() != stdoutF13 || s.stderr.String() != stderrF13 {
				lost++
			}
		}
		t.Logf("something was lost in %d of %d runs", lost, runsF13)
	})
	t.Run("go-plugin's host, our plugin", func(t *testing.T) {
		t.Logf("something was lost in %d of %d runs", lostF13(t, ourGRPCRole), runsF13)
	})
}
