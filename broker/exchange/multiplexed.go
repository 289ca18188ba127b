package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
)

// Multiplexed is the scheme with knocks, on one connection shared by both
// sides. Create it with [NewMultiplexed].
type Multiplexed struct {
	control

	cfg     broker.Config
	mux     broker.Mux
	warner  warner
	running sync.WaitGroup // the accept loop and the opener of streams

	dials   dialSide
	accepts acceptSide
}

// NewMultiplexed returns the scheme on mux. The scheme takes all streams of mux: it accepts them
// after the first call of Run, Listen or Main. It does not close mux.
func NewMultiplexed(cfg broker.Config, mux broker.Mux) *Multiplexed {
	cfg = withDefaults(cfg)
	m := &Multiplexed{cfg: cfg, mux: mux, warner: warner{log: cfg.Logger}}
	m.control.init()
	m.dials.init(m)
	m.accepts.init(m)
	return m
}

// Dial knocks for id and returns the stream that follows the answer. It waits
// for a control stream and for the answer until ctx ends.
//
// One knock is in progress at a time. The next waits until the other side has
// accepted the last stream: otherwise go-plugin's acceptor may confuse the
// streams. An ID without a listener delays nobody: a knock unanswered within
// Config.Patience stays pending, and others get their turn. Exactly one stream
// follows each acknowledgement, in the order of the acknowledgements. It goes
// to the longest wait for its ID, and is closed if no dial waits any more.
//
// If the other side refuses, the error is a [*RefusedError].
func (m *Multiplexed) Dial(ctx context.Context, id uint32) (net.Conn, error) {
	within, done := m.bound(ctx)
	defer done()
	conn, err := m.dials.dial(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	return conn, nil
}

// OpenMain opens the main connection's stream, without a knock. Only the host
// calls it; its plugin accepts the stream with Main. It waits until no knock is
// in progress or ctx ends, so that the other side cannot confuse the two.
func (m *Multiplexed) OpenMain(ctx context.Context) (net.Conn, error) {
	within, done := m.bound(ctx)
	defer done()
	conn, err := m.dials.openMain(within)
	if err != nil {
		return nil, fmt.Errorf("open the main connection: %w", err)
	}
	return conn, nil
}

// Listen returns a listener for id. Nothing is sent: the other side knocks.
//
// An early knock waits for its listener, at most for Config.UnclaimedTimeout.
// Then it is refused, and a dialer of this package knocks again. Streams are
// handed out in the order of the acknowledgements. A listener with a full
// backlog delays only its own knocks.
func (m *Multiplexed) Listen(ctx context.Context, id uint32) (net.Listener, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, context.Cause(ctx))
	}
	l, err := m.accepts.listen(id)
	if err != nil {
		return nil, fmt.Errorf("listen for brokered connection %d: %w", id, err)
	}
	return l, nil
}

// Main returns the listener for streams without a knock. The plugin calls it
// first; without a call, these streams are reset. Closing the listener does not
// end the scheme.
func (m *Multiplexed) Main() net.Listener {
	return m.accepts.mainListener()
}

// Run exchanges knocks on s; see [Scheme]. Waiting dials knock again on the
// next control stream.
func (m *Multiplexed) Run(ctx context.Context, s Stream) error {
	m.accepts.start()
	return m.run(ctx, s, m, max(m.cfg.MaxUnclaimed, defaultMaxUnclaimed))
}

func (m *Multiplexed) began(l *link) {
	m.accepts.began(l)
	m.dials.began(l)
}

func (m *Multiplexed) ended(l *link) {
	m.accepts.ended(l)
	m.dials.ended(l)
}

func (m *Multiplexed) received(ctx context.Context, l *link, info Info) {
	switch {
	case info.Knock == nil:
		m.warner.warn(ctx, "an offer, but connections are multiplexed", info.ServiceID)
	case !info.Knock.Knock:
		m.warner.warn(ctx, "neither a knock nor an answer to a knock", info.ServiceID)
	case !info.Knock.Ack:
		m.accepts.knocked(l, info.ServiceID)
	case !m.dials.answered(l, info.ServiceID, info.Knock.Error):
		m.warner.warn(ctx, "an answer without a knock", info.ServiceID)
	}
}

// Close ends all waits with net.ErrClosed, closes the listeners, and resets
// connections not yet accepted. The others live on with mux, which stays open.
func (m *Multiplexed) Close() error {
	m.cancel(net.ErrClosed)
	m.over(net.ErrClosed)
	m.running.Wait()
	return nil
}

// over ends both sides.
func (m *Multiplexed) over(cause error) {
	m.accepts.close(cause)
	m.dials.close(cause)
}

// ending converts the error of mux after its end, or the scheme's, into the
// error of all later operations.
func (m *Multiplexed) ending(err error) error {
	if m.ctx.Err() != nil {
		return net.ErrClosed
	}
	if cause := m.mux.Err(); cause != nil {
		err = cause
	}
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", net.ErrClosed, err)
}

// openError is the error of a failed open; mux may have ended.
func (m *Multiplexed) openError(err error) error {
	if m.ctx.Err() != nil || m.mux.Err() != nil {
		return m.ending(err)
	}
	return err
}
