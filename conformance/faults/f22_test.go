//go:build unix

package faults

import (
	"testing"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// TestF22: with a multiplexed broker, a plugin announces an ID before serving there, so the
// host's knock may arrive first.
func TestF22(t *testing.T) {
	t.Run("goplugin", testF22GoPlugin)
	t.Run("jackfield", testF22Jackfield)
}

// connectionsF22 is the number of attempts.
const connectionsF22 = 200

// earlyF22 repeats until a failure, and returns the number of successes.
func earlyF22(t *testing.T, client *grpcprobe.Client) (int, error) {
	t.Helper()
	for connection := range connectionsF22 {
		offered, err := client.Offer(bounded(t), &conformancev1.OfferRequest{Count: 1, Early: true})
		if err == nil {
			err = askAt(t, client, offered.GetBrokerIds()[0])
		}
		if err == nil {
			_, err = client.Withdraw(bounded(t), &conformancev1.WithdrawRequest{BrokerIds: offered.GetBrokerIds()})
		}
		if err != nil {
			return connection, err
		}
	}
	return connectionsF22, nil
}

func testF22GoPlugin(t *testing.T) {
	const plugins = 3
	for range plugins {
		client := newWorld(t).goplugingrpc(t, theirGRPCRole, true).mustGRPCProbe(t)
		survived, err := earlyF22(t, client)
		if err == nil {
			t.Logf("the plugin survived all %d brokered connections", survived)
			continue
		}
		_, dead := client.Echo(bounded(t), &conformancev1.EchoRequest{})
		t.Logf("after %d brokered connections: %v; the main connection: %v", survived, err, dead)
	}
}

// testF22Jackfield does the same with our plugin under either host.
func testF22Jackfield(t *testing.T) {
	t.Run("our host", func(t *testing.T) {
		s := newWorld(t).launchGRPC(t, ourGRPCRole, true)
		if survived, err := earlyF22(t, s.probe.Client); err != nil {
			t.Errorf("after %d brokered connections: %v", survived, err)
		}
		s.closeInOrder(t)
	})
	t.Run("go-plugin's host", func(t *testing.T) {
		client := newWorld(t).goplugingrpc(t, ourGRPCRole, true).mustGRPCProbe(t)
		if survived, err := earlyF22(t, client); err != nil {
			t.Errorf("after %d brokered connections: %v", survived, err)
		}
		expectEcho(t, client)
	})
}
