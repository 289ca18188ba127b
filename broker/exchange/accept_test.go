package exchange_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/yamux"
)

func TestStreamsFollowTheOrderOfTheKnocks(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		accepting := make(map[uint32]<-chan result)
		order := []uint32{3, 1, 2}
		for _, id := range order {
			accepting[id] = async(listen(t, b, id).Accept)
		}
		var streams []*yamux.Stream
		for _, id := range order {
			p.knock(id)
			p.expectAnswer(id, false)
		}
		for range order {
			streams = append(streams, p.open())
		}
		for i, id := range order {
			p.expectConnected(accepting[id], streams[i])
		}
	})
}

func TestKnockWaitsForItsListener(t *testing.T) { // F22
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		p.knock(1)
		p.expectNothing()
		p.knock(2)
		two := async(listen(t, b, 2).Accept)
		p.expectAnswer(2, false)
		p.expectConnected(two, p.open())
		<-time.After(exchange.DefaultUnclaimedTimeout - 1) // on the bubble's clock
		one := async(listen(t, b, 1).Accept)
		p.expectAnswer(1, false)
		p.expectConnected(one, p.open())
	})
}

func TestKnockUnclaimedIsRefusedAtTheTimeout(t *testing.T) {
	for name, c := range map[string]struct{ setting, want time.Duration }{
		"default": {0, 4 * time.Second},
		"short":   {time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			againstPeer(t, broker.Config{UnclaimedTimeout: c.setting}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
				start := time.Now()
				p.knock(1)
				p.knock(2)
				for _, id := range []uint32{1, 2} {
					info := <-p.wire.in
					if took := time.Since(start); info.ServiceID != id || info.Knock.Error != exchange.NoListener || took != c.want {
						t.Errorf("after %v: %d %+v", took, info.ServiceID, info.Knock)
					}
				}
				listen(t, b, 1)
				p.expectNothing()
			})
		})
	}
}

func TestKnockWaitsWithoutATimeout(t *testing.T) {
	againstPeer(t, broker.Config{UnclaimedTimeout: -1}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		p.knock(1)
		<-time.After(1000 * time.Hour) // on the bubble's clock
		p.expectNothing()
		listen(t, b, 1)
		p.expectAnswer(1, false)
	})
}

func TestKnocksAboveTheLimitAreRefusedAtOnce(t *testing.T) {
	againstPeer(t, broker.Config{MaxUnclaimed: 3}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		for id := range uint32(3) {
			p.knock(id)
		}
		p.expectNothing()
		p.knock(3)
		p.expectAnswer(3, true)
		listen(t, b, 1)
		p.expectAnswer(1, false)
		p.knock(4)
		p.expectNothing()
	})
}

func TestListenerAtItsBacklogDelaysOnlyItsOwnKnocks(t *testing.T) {
	againstPeer(t, broker.Config{Backlog: 2}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		full, free := listen(t, b, 1), listen(t, b, 2)
		for range 2 {
			p.knock(1)
			p.expectAnswer(1, false)
			p.open()
		}
		p.knock(1)
		p.expectNothing()
		p.knock(2)
		p.expectAnswer(2, false)
		p.expectConnected(async(free.Accept), p.open())
		receive(t, "accept", async(full.Accept))
		p.expectAnswer(1, false)
		third := p.open()
		receive(t, "accept", async(full.Accept))
		p.expectConnected(async(full.Accept), third)
	})
}

func TestMainGetsAStreamWithoutAKnock(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		main, other := b.Main(), listen(t, b, 1)
		p.expectConnected(async(main.Accept), p.open())
		p.knock(1)
		p.expectAnswer(1, false)
		p.expectConnected(async(other.Accept), p.open())
		p.expectConnected(async(main.Accept), p.open())
	})
}

func TestStreamWithoutAKnockIsResetWithoutAMainListener(t *testing.T) {
	var log records
	againstPeer(t, broker.Config{Logger: log.logger()}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		p.expectRefused(p.open())
		if log.count("a stream without a knock") != 1 {
			t.Error("no record")
		}
		l := listen(t, b, 1)
		p.knock(1)
		p.expectAnswer(1, false)
		p.expectConnected(async(l.Accept), p.open())
	})
}

func TestListenerCloseDropsItsStreamsOnly(t *testing.T) {
	againstPeer(t, broker.Config{}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
		closing, other := listen(t, b, 1), listen(t, b, 2)
		for range 2 {
			p.knock(1)
			p.expectAnswer(1, false)
		}
		waiting := p.open()
		synctest.Wait()
		closing.Close()
		p.expectRefused(waiting)
		p.knock(2)
		p.expectAnswer(2, false)
		p.expectRefused(p.open()) // the closed listener's second stream
		p.expectConnected(async(other.Accept), p.open())
	})
}

func TestKnockWithoutSenseIsIgnored(t *testing.T) {
	for name, info := range map[string]exchange.Info{
		"an empty knock":   {ServiceID: 1, Knock: &exchange.Knock{}},
		"an ack, no knock": {ServiceID: 1, Knock: &exchange.Knock{Ack: true}},
		"an offer":         {ServiceID: 1, Network: "unix", Address: "/x"},
		"nothing":          {},
	} {
		t.Run(name, func(t *testing.T) {
			var log records
			againstPeer(t, broker.Config{Logger: log.logger()}, func(t *testing.T, b *exchange.Multiplexed, p *peer) {
				listen(t, b, 1)
				for range 100 {
					p.send(info)
				}
				p.expectNothing()
				if n := log.count("level=WARN"); n == 0 || n > 10 {
					t.Errorf("%d records", n)
				}
				<-time.After(time.Minute) // on the bubble's clock
				p.send(info)
				synctest.Wait()
				if log.count("suppressed=95") != 1 {
					t.Error("no record gives the number of suppressed records")
				}
			})
		})
	}
}

func TestRunEndsIfThePeerReadsNoAnswers(t *testing.T) {
	noLeaks(t)
	client, server := sessions(t)
	host, _ := multiplexedOn(t, client, server, broker.Config{MaxUnclaimed: 10})
	near, far := newWire(0)
	ended := running(t, host, near)
	listen(t, host, 1)
	for range 10 * exchange.DefaultMaxUnclaimed {
		if far.Send(exchange.Info{ServiceID: 2, Knock: &exchange.Knock{Knock: true}}) != nil {
			break
		}
	}
	if err := receive(t, "Run", ended); !errors.Is(err, exchange.ErrUnread) {
		t.Errorf("Run: %v, want ErrUnread", err)
	}
}
