//go:build unix

package faults

import (
	"testing"
	"time"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// TestF16: a host of a multiplexed plugin connects long after the handshake.
func TestF16(t *testing.T) {
	t.Parallel() // it mostly waits
	t.Run("goplugin", testF16GoPlugin)
	t.Run("jackfield", testF16Jackfield)
}

// lateF16 is the delay: go-plugin's plugin waits for 5 s.
const lateF16 = 6 * time.Second

// connectLateF16 starts a plugin with go-plugin's host, waits, and connects.
func connectLateF16(t *testing.T, role string) error {
	t.Helper()
	s := newWorld(t).goplugingrpc(t, role, true)
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(lateF16)
	client, err := s.grpcProbe()
	if err != nil {
		return err
	}
	offered, err := client.Offer(bounded(t), &conformancev1.OfferRequest{Count: 1})
	if err != nil {
		return err
	}
	return askAt(t, client, offered.GetBrokerIds()[0])
}

func testF16GoPlugin(t *testing.T) {
	t.Parallel()
	err := connectLateF16(t, theirGRPCRole)
	t.Logf("connected %v after the handshake: %v", lateF16, err)
	if err == nil {
		t.Error("the plugin is usable")
	}
}

// testF16Jackfield uses our plugin with the same host. Our host connects at once.
func testF16Jackfield(t *testing.T) {
	t.Parallel()
	if err := connectLateF16(t, ourGRPCRole); err != nil {
		t.Errorf("connected %v after the handshake: %v", lateF16, err)
	}
}
