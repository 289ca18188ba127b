//go:build unix

package faults

import (
	"context"
	"testing"
	"time"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// TestF17: with a multiplexed broker, an ID without a server is called.
func TestF17(t *testing.T) {
	t.Parallel() // it mostly waits
	t.Run("goplugin", testF17GoPlugin)
	t.Run("jackfield", testF17Jackfield)
}

// unservedF17 is the ID. heldUpF17 is longer than an unhindered dial, and shorter than
// go-plugin's 5 s.
const (
	unservedF17 = 4242
	heldUpF17   = 3 * time.Second
)

// hostDialF17 calls the unserved ID from the host, and returns the duration of a concurrent
// dial.
func hostDialF17(t *testing.T, client *grpcprobe.Client) (time.Duration, error) {
	t.Helper()
	id := offerOne(t, client, false)
	ctx, cancel := context.WithCancel(bounded(t))
	begun := make(chan struct{})
	unserved := running(func() {
		conn, err := client.Broker.Dial(ctx, unservedF17) // ours waits here,
		if err != nil {
			return
		}
		close(begun) // go-plugin's in the call
		_ = grpcprobe.Ask(ctx, conn, grpcprobe.PluginName, unservedF17, "anybody?", 0)
		_ = conn.Close()
	})
	within(100*time.Millisecond, begun) // in both cases it has knocked by then
	began := time.Now()
	err := askAt(t, client, id)
	took := time.Since(began)
	cancel()
	<-unserved
	return took, err
}

// pluginDialF17 is hostDialF17 in the opposite direction.
func pluginDialF17(t *testing.T, client *grpcprobe.Client) (time.Duration, error) {
	t.Helper()
	served := serveOnHost(t, client)
	ctx, cancel := context.WithCancel(bounded(t))
	unserved := running(func() {
		_, _ = client.Callback(ctx, &conformancev1.CallbackRequest{BrokerId: unservedF17})
	})
	within(100*time.Millisecond, unserved) // it has knocked by then
	began := time.Now()
	err := callBack(t, client, served.ID)
	took := time.Since(began)
	cancel()
	<-unserved
	return took, err
}

func testF17GoPlugin(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]func(*testing.T, *grpcprobe.Client) (time.Duration, error){
		"the host dials":   hostDialF17,
		"the plugin dials": pluginDialF17,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newWorld(t).goplugingrpc(t, theirGRPCRole, true).mustGRPCProbe(t)
			took, err := dial(t, client)
			t.Logf("a dial beside it: %v after %v", err, took.Round(time.Millisecond))
			if took < heldUpF17 {
				t.Errorf("it was not held up: %v", took)
			}
		})
	}
}

// testF17Jackfield dials from our side, to a peer on either library.
func testF17Jackfield(t *testing.T) {
	t.Parallel()
	expectQuick := func(t *testing.T, took time.Duration, err error) {
		t.Helper()
		t.Logf("a dial beside it took %v", took.Round(time.Millisecond))
		if err != nil || took > heldUpF17 {
			t.Errorf("a dial beside it: %v after %v", err, took)
		}
	}
	eachGRPCPlugin(t, func(t *testing.T, role string) {
		s := newWorld(t).launchGRPC(t, role, true)
		took, err := hostDialF17(t, s.probe.Client)
		expectQuick(t, took, err)
		if role == ourGRPCRole {
			took, err = pluginDialF17(t, s.probe.Client)
			expectQuick(t, took, err)
		}
		s.closeInOrder(t)
	})
	t.Run("our plugin dials go-plugin's host", func(t *testing.T) {
		took, err := pluginDialF17(t, newWorld(t).goplugingrpc(t, ourGRPCRole, true).mustGRPCProbe(t))
		expectQuick(t, took, err)
	})
}
