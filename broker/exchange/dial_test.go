package exchange_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
)

func TestStreamFollowsTheAcknowledgement(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dial := dialing(t.Context(), b, 5)
		p.expectKnock(5)
		p.expectNothing()
		p.answer(5, "")
		p.expectConnected(dial, p.expectStream())
		p.expectNothing()
	})
}

func TestKnocksGoOutOneAtATime(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		first := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		second := dialing(t.Context(), b, 2)
		p.expectNothing()
		p.answer(1, "")
		synctest.Wait()
		if len(p.wire.in) != 0 {
			t.Fatal("a knock before the last stream was accepted")
		}
		p.expectConnected(first, p.expectStream())
		p.expectKnock(2)
		p.answer(2, "")
		p.expectConnected(second, p.expectStream())
	})
}

func TestAcceptTimeoutLimitsTheDelayByAnUnacceptedStream(t *testing.T) {
	againstPeer(t, broker.Config{AcceptTimeout: time.Minute}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dialing(t.Context(), b, 1)
		p.expectKnock(1)
		p.answer(1, "")
		dialing(t.Context(), b, 2)
		start := time.Now()
		info := <-p.wire.in
		if took := time.Since(start); info.ServiceID != 2 || took != time.Minute {
			t.Errorf("a knock for %d after %v", info.ServiceID, took)
		}
	})
}

func TestDialOfAnUnservedIDDelaysNobody(t *testing.T) { // F17
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		unserved := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		start := time.Now()
		for id := range uint32(10) {
			dial := dialing(t.Context(), b, id+2)
			if info := <-p.wire.in; info.ServiceID != id+2 {
				t.Fatalf("a knock for %d, want %d", info.ServiceID, id+2)
			}
			p.answer(id+2, "")
			p.expectConnected(dial, p.expectStream())
		}
		if took := time.Since(start); took != exchange.DefaultPatience {
			t.Errorf("ten dials took %v, want %v", took, exchange.DefaultPatience)
		}
		select {
		case r := <-unserved:
			t.Errorf("the unserved one: %v", r)
		default:
		}
	})
}

func TestPatienceIsShared(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		for id := range uint32(51) {
			dialing(t.Context(), b, id+1)
			synctest.Wait()
		}
		start := time.Now()
		for range 51 {
			<-p.wire.in
		}
		if took := time.Since(start); took > 6*exchange.DefaultPatience {
			t.Errorf("fifty IDs that nobody serves hold the next one up for %v", took)
		}
	})
}

func TestAcknowledgementServesAWaitingDialLate(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		late := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		<-time.After(time.Second) // on the bubble's clock
		other := dialing(t.Context(), b, 2)
		p.expectKnock(2)
		p.answer(1, "")
		p.expectConnected(late, p.expectStream())
		p.answer(2, "")
		p.expectConnected(other, p.expectStream())
		p.expectNothing()
	})
}

func TestStreamsFollowTheOrderOfTheAcknowledgements(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		first := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		<-time.After(time.Second) // on the bubble's clock
		second := dialing(t.Context(), b, 2)
		p.expectKnock(2)
		<-time.After(time.Second) // on the bubble's clock
		p.answer(2, "")
		p.answer(1, "")
		p.expectConnected(second, p.expectStream())
		p.expectConnected(first, p.expectStream())
	})
}

func TestAcknowledgementOfAnAbandonedKnockGetsOneStream(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		ctx, cancel := context.WithCancel(t.Context())
		abandoned := dialing(ctx, b, 1)
		p.expectKnock(1)
		cancel()
		if r := receive(t, "dial", abandoned); !errors.Is(r.err, context.Canceled) {
			t.Fatal(r.err)
		}
		<-time.After(time.Second) // on the bubble's clock
		next := dialing(t.Context(), b, 2)
		p.expectKnock(2)
		p.answer(1, "")
		p.answer(2, "")
		p.expectClosed(p.expectStream())
		p.expectConnected(next, p.expectStream())
		p.expectNothing()
	})
}

func TestKnockAbandonedServesTheNextDial(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		ctx, cancel := context.WithCancel(t.Context())
		abandoned := dialing(ctx, b, 1)
		p.expectKnock(1)
		cancel()
		receive(t, "dial", abandoned)
		next := dialing(t.Context(), b, 1)
		p.expectNothing()
		p.answer(1, "")
		p.expectConnected(next, p.expectStream())
		p.expectNothing()
	})
}

func TestKnocksAbandonedAreLimited(t *testing.T) {
	againstPeer(t, broker.Config{MaxUnclaimed: 10}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		for id := range uint32(30) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := b.Dial(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
		}
		if n := b.Knocks(); n > 10 {
			t.Errorf("%d knocks are kept", n)
		}
	})
}

func TestAcknowledgementWithoutAKnockIsIgnored(t *testing.T) {
	var log records
	againstPeer(t, broker.Config{Logger: log.logger()}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dial := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		p.answer(1, "")
		p.answer(1, "")
		p.expectConnected(dial, p.expectStream())
		p.expectNothing()
		p.answer(77, "")
		p.expectNothing()
		if got := log.count("an answer without a knock"); got != 2 {
			t.Errorf("%d records", got)
		}
	})
}

func TestRefusalIsAnErrorAndGetsNoStream(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dial := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		p.answer(1, "go away"+strings.Repeat("!", 10_000))
		var refused *exchange.RefusedError
		r := receive(t, "dial", dial)
		if !errors.As(r.err, &refused) || refused.ID != 1 || !strings.HasPrefix(refused.Text, "go away!") || len(refused.Text) > 1024 {
			t.Errorf("got %v", r.err)
		}
		p.expectNothing()
	})
}

func TestRefusalWithoutAListenerLeadsToARetry(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dial := dialing(t.Context(), b, 1)
		knocks := 0
		for start := time.Now(); time.Since(start) < time.Minute; knocks++ {
			<-p.wire.in
			p.answer(1, exchange.NoListener)
		}
		if knocks < 50 || knocks > 80 {
			t.Errorf("%d knocks in a minute", knocks)
		}
		<-p.wire.in
		p.answer(1, "")
		p.expectConnected(dial, p.expectStream())
	})
}

func TestKnockUnansweredIsRenewed(t *testing.T) { // go-plugin forgets them
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		start := time.Now()
		dial := dialing(t.Context(), b, 1)
		<-p.wire.in
		<-p.wire.in
		if took := time.Since(start); took != exchange.DefaultRenewal {
			t.Errorf("renewed after %v", took)
		}
		p.answer(1, "")
		p.expectConnected(dial, p.expectStream())
		p.answer(1, "")
		p.expectClosed(p.expectStream())
	})
}

func TestMainConnectionTakesTurnsWithKnocks(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dial := dialing(t.Context(), b, 1)
		p.expectKnock(1)
		<-time.After(time.Second) // on the bubble's clock: its turn is over
		main := async(func() (net.Conn, error) { return b.OpenMain(t.Context()) })
		p.expectNothing()
		queued := dialing(t.Context(), b, 2)
		p.expectNothing()
		p.answer(1, "")
		p.expectConnected(dial, p.expectStream())
		p.expectConnected(main, p.expectStream())
		p.expectKnock(2)
		p.answer(2, "")
		p.expectConnected(queued, p.expectStream())
	})
}

func TestMainConnectionNeedsNoControlStream(t *testing.T) {
	noLeaks(t)
	client, server := sessions(t)
	host, plugin := multiplexedOn(t, client, server, broker.Config{})
	early := dialing(within(t), host, 1)
	accepting := async(plugin.Main().Accept)
	opened, err := host.OpenMain(within(t))
	if err != nil {
		t.Fatal(err)
	}
	expectText(t, opened, connection(t, "accept", accepting), "main")
	a, b := newWire(1)
	running(t, host, a)
	running(t, plugin, b)
	greet(listen(t, plugin, 1), "brokered")
	connection(t, "the early dial", early)
}

func TestMainConnectionOutwaitsAnUnansweredKnock(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		dialing(t.Context(), b, 1)
		p.expectKnock(1)
		start := time.Now()
		if _, err := b.OpenMain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 2*exchange.DefaultRenewal {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSessionEndWakesEverybody(t *testing.T) {
	noLeaks(t)
	client, server := sessions(t)
	host, plugin := multiplexedOn(t, client, server, broker.Config{})
	a, b := newWire(1)
	running(t, host, a)
	running(t, plugin, b)
	waiting := map[string]<-chan result{
		"Dial":        dialing(within(t), plugin, 1),
		"Accept":      async(listen(t, plugin, 2).Accept),
		"Main.Accept": async(plugin.Main().Accept),
	}
	client.Close()
	for what, c := range waiting {
		if r := receive(t, what, c); !errors.Is(r.err, net.ErrClosed) {
			t.Errorf("%s: %v", what, r.err)
		}
	}
	if _, err := plugin.Dial(within(t), 3); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a later Dial: %v", err)
	}
	if _, err := plugin.OpenMain(within(t)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a later OpenMain: %v", err)
	}
}
