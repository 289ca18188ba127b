package broker_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/broker"
)

func TestIDsAreUnique(t *testing.T) {
	var ids broker.IDs
	if first := ids.Next(); first != 1 {
		t.Errorf("the first ID is %d, want 1", first)
	}
	const each, askers = 500, 16
	var seen sync.Map
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			for range each {
				id := ids.Next()
				if _, again := seen.LoadOrStore(id, true); again || id == 0 {
					t.Errorf("ID %d is a duplicate, or is zero", id)
				}
			}
		})
	}
	all.Wait()
	if next := ids.Next(); next != askers*each+2 {
		t.Errorf("the next ID is %d: some were left out", next)
	}
}

func TestDialersAndAcceptorsMeetInEitherOrder(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	for name, sides := range map[string][2]*broker.Prefixed{
		"the host dials": {host, plugin}, "the plugin dials": {plugin, host},
	} {
		from, to := sides[0], sides[1]
		t.Run(name+" first", func(t *testing.T) {
			// The later dialled ID is accepted first: by then the other has
			// arrived too, and waits.
			early := async(within(t), from.Dial, 7)
			connect(t, from, to, 8)
			accepted, err := to.Accept(within(t), 7)
			if err != nil {
				t.Fatal(err)
			}
			got := receive(t, "dial", early)
			if got.err != nil {
				t.Fatal(got.err)
			}
			expectText(t, got.conn, accepted, "ping")
			expectText(t, accepted, got.conn, "pong")
		})
		t.Run(name+" second", func(t *testing.T) {
			dialled, accepted := connect(t, from, to, 9)
			expectText(t, dialled, accepted, "ping")
			expectText(t, accepted, dialled, "pong")
		})
	}
}

func TestIDsOfBothDirectionsAreIndependent(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	hostAccepts, pluginAccepts := async(within(t), host.Accept, 1), async(within(t), plugin.Accept, 1)
	fromHost, err := host.Dial(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	fromPlugin, err := plugin.Dial(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	atPlugin, atHost := receive(t, "accept", pluginAccepts), receive(t, "accept", hostAccepts)
	if atPlugin.err != nil || atHost.err != nil {
		t.Fatal(atPlugin.err, atHost.err)
	}
	expectText(t, fromHost, atPlugin.conn, "from the host")
	expectText(t, fromPlugin, atHost.conn, "from the plugin")
}

func TestConnectionsToOneIDArriveInOrder(t *testing.T) {
	b, peer := rawPair(t, broker.Config{})
	const count = 10
	for i := range count {
		stream := knock(t, peer, 5)
		if _, err := fmt.Fprint(stream, i); err != nil {
			t.Fatal(err)
		}
		// IDs are read concurrently, and only read IDs have an order.
		waitFor(t, func() bool { return b.Unclaimed() == i+1 })
	}
	for i := range count {
		conn, err := b.Accept(within(t), 5)
		if err != nil {
			t.Fatal(err)
		}
		var text [1]byte
		if _, err := conn.Read(text[:]); err != nil || string(text[:]) != fmt.Sprint(i) {
			t.Fatalf("connection %d: got %q, %v", i, text, err)
		}
	}
}

func TestAcceptorsOfOneIDAreServedInOrder(t *testing.T) {
	b, peer := rawPair(t, broker.Config{})
	const count = 8
	accepts := make([]<-chan result, count)
	for i := range accepts {
		accepts[i] = async(within(t), b.Accept, 5)
		waitFor(t, func() bool { return b.Waiting(5) == i+1 })
	}
	for i, accept := range accepts {
		stream := knock(t, peer, 5)
		got := receive(t, fmt.Sprintf("acceptor %d", i), accept)
		if got.err != nil {
			t.Fatal(got.err)
		}
		expectText(t, skipID(t, stream), got.conn, fmt.Sprint("connection ", i))
	}
}

func TestDialMayRunManyTimesAtOnceForOneID(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := plugin.Accept(within(t), 3); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := host.Dial(within(t), 3); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestUnclaimedIDsStallNobody(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	var unclaimed []<-chan result
	for range 5 { // go-plugin's broker deadlocks when the same ID is dialled twice
		unclaimed = append(unclaimed, async(within(t), host.Dial, 99), async(within(t), host.Dial, 98))
	}
	for id := range uint32(20) {
		connect(t, host, plugin, id+1)
		connect(t, plugin, host, id+1)
	}
	plugin.Close()
	for _, dial := range unclaimed {
		if got := receive(t, "unclaimed dial", dial); !errors.Is(got.err, broker.ErrUnclaimed) {
			t.Errorf("got %v, want ErrUnclaimed", got.err)
		}
	}
}

func TestConnectionsLeaveNothing(t *testing.T) {
	noLeaks(t)
	c, s := socketPair(t)
	client, server := sessionsOver(t, c, s)
	host, plugin := brokersOn(t, client, server, broker.Config{})
	var ids broker.IDs
	for range 1000 {
		dialled, accepted := connect(t, host, plugin, ids.Next())
		dialled.Close()
		accepted.Close()
	}
	waitFor(t, func() bool { return client.NumStreams()+server.NumStreams() == 0 })
	if n := host.Entries() + plugin.Entries(); n != 0 {
		t.Errorf("the tables hold %d entries", n)
	}
}
