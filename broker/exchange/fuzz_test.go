package exchange_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/yamux"
)

// script is a control stream and a host's program at once. Each pair of bytes
// is an info of the other side, or an action of this side before the next read.
type script struct {
	broker  exchange.Scheme
	session *yamux.Session // the other side's, nil for a plain broker
	steps   []byte
	ctx     context.Context
	calls   *sync.WaitGroup
	check   func()
}

func (s *script) Send(exchange.Info) error { return nil }

func (s *script) Recv() (exchange.Info, error) {
	for len(s.steps) >= 2 {
		kind, argument := s.steps[0], s.steps[1]
		s.steps = s.steps[2:]
		s.check()
		if info, ok := scripted(kind, argument); ok {
			return info, nil
		}
		s.act(kind, uint32(argument%8))
	}
	return exchange.Info{}, io.EOF
}

func scripted(kind, argument byte) (exchange.Info, bool) {
	info := exchange.Info{ServiceID: uint32(argument % 8)}
	switch kind % 12 {
	case 0:
		info.Network, info.Address = "unix", "/nowhere"
	case 1:
		info.Network, info.Address = "tcp", strings.Repeat("x", int(argument)*40)
	case 2:
		info.Network, info.Address = "udp\xff", "\x00"
	case 3:
		info.Knock = &exchange.Knock{Knock: true}
	case 4:
		info.Knock = &exchange.Knock{Knock: true, Ack: true}
	case 5:
		info.Knock = &exchange.Knock{Knock: true, Ack: true, Error: strings.Repeat("no", int(argument)*20)}
	case 6:
		info.Knock = &exchange.Knock{Knock: true, Ack: true, Error: exchange.NoListener}
	case 7:
		info.Knock = &exchange.Knock{Knock: argument%2 == 1, Ack: argument%3 == 1, Error: "\xff"}
	default:
		return info, false
	}
	return info, true
}

func (s *script) act(kind byte, id uint32) {
	switch kind % 4 {
	case 0:
		s.calls.Go(func() {
			if conn, err := s.broker.Dial(s.ctx, id); err == nil {
				conn.Close()
			}
		})
	case 1:
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		_, _ = s.broker.Dial(ctx, id)
	case 2:
		s.calls.Go(func() {
			if l, err := s.broker.Listen(s.ctx, id); err == nil && id%2 == 0 {
				l.Close()
			}
		})
	case 3:
		if plain, ok := s.broker.(*exchange.Plain); ok {
			s.demand(plain, id)
		}
		if s.session != nil {
			if stream, err := s.session.Open(s.ctx); err == nil && id%2 == 0 {
				stream.Close()
			}
		}
	}
}

// demand listens on demand with an even id, and dials with an odd one.
func (s *script) demand(plain *exchange.Plain, id uint32) {
	if id%2 == 0 {
		_, _ = plain.ListenOnDemand(id)
		return
	}
	s.calls.Go(func() {
		if conn, err := plain.DialOnDemand(s.ctx, id); err == nil {
			conn.Close()
		}
	})
}

// FuzzInfo feeds brokers with arbitrary input of the other side, while this
// side dials and listens. They must not panic, hang, exceed their limits, or
// leave anything behind.
func FuzzInfo(f *testing.F) {
	for _, seed := range []string{
		"", "\x00\x01\x08\x01", "\x03\x01\x0a\x01\x0b\x01", "\x08\x01\x04\x01\x04\x01\x05\x01",
		strings.Repeat("\x03\x01", 6) + "\x0a\x03" + strings.Repeat("\x0b\x01", 3),
		"\x08\x01\x08\x01\x08\x02\x06\x01\x05\x01\x04\x02\x07\x03", "\x01\xff\x02\x01\x08\x01\x00\x01",
		"\x0b\x02\x03\x02\x03\x02\x03\x04\x0b\x01\x05\x01\x0b\x01\x00\x01", // on demand
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		steps = steps[:min(len(steps), 400)]
		before := runtime.NumGoroutine()
		cfg := broker.Config{MaxOffers: 4, MaxUnclaimed: 4, Backlog: 2, Patience: 1, AcceptTimeout: 1, Renewal: 1000}
		plain := exchange.NewPlain(cfg, pretend, func(context.Context) (net.Listener, string, string, error) {
			return nil, "", "", errGone
		})
		play(t, plain, nil, steps, func() {
			if n := plain.Entries(); n > 4+8 {
				t.Errorf("%d entries", n)
			}
		})
		c, s := net.Pipe()
		client, server := sessionsOver(t, c, s)
		multiplexed := exchange.NewMultiplexed(cfg, broker.Yamux(client))
		calls := len(steps) / 2
		play(t, multiplexed, server, steps, func() {
			// At most 8 IDs with 2 expected streams each, plus pending knocks
			// and waiting calls.
			if n := multiplexed.Entries(); n > 8*2+2*4+8+5*calls {
				t.Errorf("%d entries", n)
			}
		})
		client.Close()
		server.Close()
		waitFor(t, "no goroutine more than before", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func play(t *testing.T, b exchange.Scheme, session *yamux.Session, steps []byte, check func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	s := &script{broker: b, session: session, steps: steps, ctx: ctx, calls: &calls, check: check}
	if err := b.Run(ctx, s); err != nil && !errors.Is(err, exchange.ErrUnread) {
		t.Errorf("Run: %v", err)
	}
	cancel()
	b.Close()
	calls.Wait()
}
