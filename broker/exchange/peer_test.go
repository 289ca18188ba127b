package exchange_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/yamux"
)

// peer is the other side of a multiplexed broker, scripted by the test in place
// of another implementation.
type peer struct {
	t       *testing.T
	wire    *wire
	session *yamux.Session
}

// againstPeer runs a test with a broker and a scripted peer, on a fake clock:
// steps without a duration wait for nothing.
func againstPeer(t *testing.T, cfg broker.Config, test func(t *testing.T, b *exchange.Multiplexed, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessionsOver(t, c, s)
		b := exchange.NewMultiplexed(cfg, broker.Yamux(client))
		near, far := newWire(1000)
		result := running(t, b, near)
		test(t, b, &peer{t, far, server})
		far.Interrupt()
		if err := receive(t, "Run", result); err != nil {
			t.Errorf("Run: %v", err)
		}
		b.Close()
		client.Close()
		server.Close()
	})
}

// expectKnock fails the test unless the next info is an immediate knock for id.
func (p *peer) expectKnock(id uint32) {
	p.t.Helper()
	synctest.Wait()
	select {
	case info := <-p.wire.in:
		if info.ServiceID != id || info.Knock == nil || *info.Knock != (exchange.Knock{Knock: true}) {
			p.t.Fatalf("got %+v, want a knock for %d", info, id)
		}
	default:
		p.t.Fatalf("no knock for %d", id)
	}
}

// expectAnswer fails the test unless the next info answers a knock for id.
func (p *peer) expectAnswer(id uint32, refused bool) {
	p.t.Helper()
	synctest.Wait()
	select {
	case info := <-p.wire.in:
		if info.ServiceID != id || info.Knock == nil || !info.Knock.Knock || !info.Knock.Ack || (info.Knock.Error != "") != refused {
			p.t.Fatalf("got %d %+v, want an answer for %d, refused: %t", info.ServiceID, info.Knock, id, refused)
		}
	default:
		p.t.Fatalf("no answer for %d", id)
	}
}

// expectNothing fails the test if an info or a stream arrived.
func (p *peer) expectNothing() {
	p.t.Helper()
	synctest.Wait()
	select {
	case info := <-p.wire.in:
		p.t.Fatalf("got %d %+v, want nothing", info.ServiceID, info.Knock)
	default:
	}
	if stream := p.stream(); stream != nil {
		p.t.Fatal("got a stream, want nothing")
	}
}

func (p *peer) knock(id uint32) {
	p.t.Helper()
	p.send(exchange.Info{ServiceID: id, Knock: &exchange.Knock{Knock: true}})
}

func (p *peer) answer(id uint32, refusal string) {
	p.t.Helper()
	p.send(exchange.Info{ServiceID: id, Knock: &exchange.Knock{Knock: true, Ack: true, Error: refusal}})
}

func (p *peer) send(info exchange.Info) {
	p.t.Helper()
	if err := p.wire.Send(info); err != nil {
		p.t.Fatal(err)
	}
}

// stream returns the next stream opened by the broker, or nil if there is none now.
func (p *peer) stream() *yamux.Stream {
	p.t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithCancel(p.t.Context())
	cancel()
	stream, err := p.session.Accept(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		p.t.Fatal(err)
	}
	return stream
}

// expectStream fails the test unless the broker opened a stream.
func (p *peer) expectStream() *yamux.Stream {
	p.t.Helper()
	stream := p.stream()
	if stream == nil {
		p.t.Fatal("no stream")
	}
	return stream
}

func (p *peer) open() *yamux.Stream {
	p.t.Helper()
	stream, err := p.session.Open(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return stream
}

// expectConnected fails the test unless the dial got this stream.
func (p *peer) expectConnected(dial <-chan result, stream *yamux.Stream) {
	p.t.Helper()
	r := receive(p.t, "dial", dial)
	if r.err != nil {
		p.t.Fatal(r.err)
	}
	expectText(p.t, stream, r.conn, "here")
	r.conn.Close()
	stream.Close()
}

// expectClosed fails the test unless the broker closed the stream in order.
func (p *peer) expectClosed(stream *yamux.Stream) {
	p.t.Helper()
	if n, err := stream.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		p.t.Fatalf("read %d bytes, %v; want the stream's end", n, err)
	}
	stream.Close()
}

// expectRefused fails the test unless the broker reset the stream.
func (p *peer) expectRefused(stream *yamux.Stream) {
	p.t.Helper()
	synctest.Wait()
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, yamux.ErrReset) {
		p.t.Fatalf("read: %v, want a reset", err)
	}
}
