//go:build unix

package faults

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"testing"
	"time"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// TestF25: many brokered connections are opened and closed.
func TestF25(t *testing.T) {
	t.Run("goplugin", testF25GoPlugin)
	t.Run("jackfield", testF25Jackfield)
}

// connectionsF25 is the number of connections. Under the race detector each takes about
// five times as long.
func connectionsF25() int {
	if raceEnabled {
		return 200
	}
	return 1000
}

// heldF25 is a plugin's number of goroutines and files.
type heldF25 struct{ goroutines, files int }

func (h heldF25) String() string {
	return fmt.Sprintf("%d goroutines, %d files", h.goroutines, h.files)
}

func (h heldF25) minus(other heldF25) heldF25 {
	return heldF25{h.goroutines - other.goroutines, h.files - other.files}
}

// holdsF25 asks the plugin for its numbers until they are stable.
func holdsF25(t *testing.T, client *grpcprobe.Client) heldF25 {
	t.Helper()
	var last heldF25
	since := time.Now()
	poll(3*time.Second, func() bool {
		seen, err := client.Status(bounded(t), &conformancev1.StatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if now := (heldF25{int(seen.GetGoroutines()), int(seen.GetFiles())}); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	return last
}

// offeredF25 lets the plugin serve that many IDs, one after the other. Each ID is dialled
// once and closed.
func offeredF25(t *testing.T, client *grpcprobe.Client, end func(id uint32)) {
	t.Helper()
	for range connectionsF25() {
		id := offerOne(t, client, false)
		if err := askAt(t, client, id); err != nil {
			t.Fatal(err)
		}
		end(id)
	}
}

// testF25GoPlugin does not end the servers: AcceptAndServe gives a plugin no way to do so.
func testF25GoPlugin(t *testing.T) {
	w := newWorld(t)
	s := w.goplugingrpc(t, theirGRPCRole, false)
	client := s.mustGRPCProbe(t)
	before := holdsF25(t, client)
	offeredF25(t, client, func(uint32) {})
	kept := holdsF25(t, client).minus(before)
	s.Kill()
	left, n := len(w.sockets(t)), connectionsF25()
	t.Logf("%d brokered connections: the plugin keeps %v; after its end %d sockets are left", n, kept, left)
	// The number of sockets left depends on a race with the plugin's end.
	if kept.goroutines < 3*n || kept.files < n {
		t.Errorf("the plugin keeps less than 3 goroutines and a file for each")
	}
}

// testF25Jackfield ends the serving, in both directions: nothing is left on either side.
func testF25Jackfield(t *testing.T) {
	eachBroker(t, func(t *testing.T, multiplexed bool) {
		expectNoWaiters(t)
		w := newWorld(t)
		s := w.launchGRPC(t, ourGRPCRole, multiplexed)
		client := s.probe.Client
		if err := askAt(t, client, offerOne(t, client, false)); err != nil { // the first call allocates state that stays
			t.Fatal(err)
		}
		before, ours, sockets := holdsF25(t, client), settledGoroutines(), len(w.sockets(t))

		offeredF25(t, client, func(id uint32) { withdraw(t, client, id) })
		for range connectionsF25() {
			served := serveOnHost(t, client)
			if err := callBack(t, client, served.ID); err != nil {
				t.Fatal(err)
			}
			if err := served.Stop(); err != nil {
				t.Error(err)
			}
		}
		kept, keptHere, left := holdsF25(t, client).minus(before), settledGoroutines()-ours, len(w.sockets(t))-sockets
		t.Logf("%d brokered connections each way: the plugin keeps %v, the host %d goroutines; %d more sockets",
			connectionsF25(), kept, keptHere, left)
		if kept.goroutines > 0 || kept.files > 0 || keptHere > 0 || left > 0 {
			t.Error("resources remain")
		}
		s.closeInOrder(t)
		w.expectGone(t)
	})
}

// expectNoWaiters waits until go-plugin's hosts in this process have forgotten their broker
// IDs: each keeps a goroutine for 5 s.
func expectNoWaiters(t *testing.T) {
	t.Helper()
	gone := poll(patience, func() bool {
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		return !bytes.Contains(stacks.Bytes(), []byte("(*GRPCBroker).timeoutWait"))
	})
	if !gone {
		t.Error("go-plugin's goroutines are still there")
	}
}
