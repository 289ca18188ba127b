//go:build unix

package faults

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
)

// TestF14: a broker ID is dialled long after its offer, or twice.
func TestF14(t *testing.T) {
	t.Parallel() // it mostly waits
	t.Run("goplugin", testF14GoPlugin)
	t.Run("jackfield", testF14Jackfield)
}

// lateF14 is the delay: go-plugin's dialer forgets an offer after 5 s.
const lateF14 = 6 * time.Second

// timeoutF14 is go-plugin's error text.
const timeoutF14 = "timeout waiting for connection info"

// later waits for lateF14.
func later() { <-time.After(lateF14) }

func testF14GoPlugin(t *testing.T) {
	t.Parallel()
	client := newWorld(t).goplugingrpc(t, theirGRPCRole, false).mustGRPCProbe(t)
	expectTimeout := func(what string, err error) {
		if err == nil || !strings.Contains(err.Error(), timeoutF14) {
			t.Errorf("%s: got %v, expected %q", what, err, timeoutF14)
		}
	}
	twice, late := offerOne(t, client, false), offerOne(t, client, false)
	served := serveOnHost(t, client)
	if err := askAt(t, client, twice); err != nil {
		t.Errorf("the first dial: %v", err)
	}
	var dials sync.WaitGroup
	dials.Go(func() { expectTimeout("the second dial", askAt(t, client, twice)) })
	later()
	dials.Go(func() { expectTimeout("the host's late dial", askAt(t, client, late)) })
	dials.Go(func() { expectTimeout("the plugin's late dial", callBack(t, client, served.ID)) })
	dials.Wait()
	expectEcho(t, client)
}

// testF14Jackfield dials from our side: our host dials the offers of either plugin, and our
// plugin those of either host.
func testF14Jackfield(t *testing.T) {
	t.Parallel()
	eachBroker(t, func(t *testing.T, multiplexed bool) {
		t.Parallel()
		type dial struct {
			name string
			do   func() error
		}
		var dials []dial
		dialsOf := func(host, role string, client *grpcprobe.Client, offered bool) {
			if offered {
				id := offerOne(t, client, false)
				dials = append(dials, dial{fmt.Sprintf("%s dials %s", host, role), func() error { return askAt(t, client, id) }})
			}
			if role == ourGRPCRole {
				served := serveOnHost(t, client)
				dials = append(dials, dial{fmt.Sprintf("%s dials %s", role, host), func() error { return callBack(t, client, served.ID) }})
			}
		}
		w := newWorld(t)
		ours := w.launchGRPC(t, ourGRPCRole, multiplexed)
		dialsOf("our host", ourGRPCRole, ours.probe.Client, true)
		mixed := w.launchGRPC(t, theirGRPCRole, multiplexed)
		dialsOf("our host", theirGRPCRole, mixed.probe.Client, true)
		theirs := w.goplugingrpc(t, ourGRPCRole, multiplexed).mustGRPCProbe(t)
		dialsOf("go-plugin's host", ourGRPCRole, theirs, false)

		later()
		for _, d := range dials {
			for range 3 { // late and repeatedly
				if err := d.do(); err != nil {
					t.Errorf("%s: %v", d.name, err)
				}
			}
		}
	})
}
