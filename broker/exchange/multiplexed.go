package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// Multiplexed is the scheme with knocks, on one connection that both sides share.
// Make one with [NewMultiplexed].
type Multiplexed struct {
	control

	cfg     broker.Config
	mux     broker.Mux
	warner  warner
	running sync.WaitGroup // the accept loop, and what opens streams

	dials   dialSide
	accepts acceptSide
}

// NewMultiplexed returns the scheme on mux. The streams of mux are all the
// scheme's: it accepts them from the first call of Run, Listen or Main on. It does
// not close mux.
func NewMultiplexed(cfg broker.Config, mux broker.Mux) *Multiplexed {
	cfg = withDefaults(cfg)
	m := &Multiplexed{cfg: cfg, mux: mux, warner: warner{log: cfg.Logger}}
	m.control.init()
	m.dials.init(m)
	m.accepts.init(m)
	return m
}

// Dial knocks for id and returns the stream that follows the answer. It waits
// for a control stream and for the answer as long as ctx lets it.
//
// One knock is under way at a time, and the next one waits until the other side
// has accepted the stream of the last: go-plugin's acceptor may take one stream
// for another otherwise. But an ID that nobody serves holds nobody up: a
// knock that is not answered within Config.Patience stays pending, and others
// get their turn. Each acknowledgement is followed by exactly one stream, in the
// order of the acknowledgements; it goes to who has waited longest for its
// ID, and is closed if nobody does any more.
//
// If the other side refuses, the error is a [*KnockError].
func (m *Multiplexed) Dial(ctx context.Context, id uint32) (net.Conn, error) {
	within, done := m.bound(ctx)
	defer done()
	conn, err := m.dials.dial(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, err)
	}
	return conn, nil
}

// OpenMain opens a stream without a knock, which is the main connection's. It is
// for the host, whose plugin takes it with Main. It waits, as long as ctx lets
// it, until no knock is under way, so that neither is taken for the other.
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
// A knock that came before its listener waits for it, at most for
// Config.UnclaimedTimeout; then it is refused, and a dialer of this package
// knocks again. Streams are handed out in the order of the acknowledgements, and
// a listener whose connections nobody accepts holds only its own knocks up.
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

// Main returns the listener for streams that come without a knock. It is for the
// plugin, before anything else; a side that has not called it resets such
// streams. Closing it does not end the scheme.
func (m *Multiplexed) Main() net.Listener {
	return m.accepts.mainListener()
}

// Run exchanges knocks on s; see [Scheme]. Dials that wait knock again on the
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
		m.warner.warn(ctx, "neither a knock nor an answer to one", info.ServiceID)
	case !info.Knock.Ack:
		m.accepts.knocked(l, info.ServiceID)
	case !m.dials.answered(l, info.ServiceID, info.Knock.Error):
		m.warner.warn(ctx, "an answer to a knock that was not made", info.ServiceID)
	}
}

// Close makes everything that waits return net.ErrClosed, and closes the
// listeners; connections that nobody has accepted from them are reset. The
// others live on with mux, which is not closed.
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

// ending turns what mux returned when it, or the scheme, was over into
// what everything returns from then on.
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

// openError is for a stream that could not be opened, with a mux that is
// over or not.
func (m *Multiplexed) openError(err error) error {
	if m.ctx.Err() != nil || m.mux.Err() != nil {
		return m.ending(err)
	}
	return err
}

const (
	defaultMaxOffers        = 1024
	defaultMaxUnclaimed     = 1024
	defaultBacklog          = 128
	defaultPatience         = 100 * time.Millisecond
	defaultUnclaimedTimeout = 4 * time.Second
	defaultAcceptTimeout    = 5 * time.Second
	defaultRenewal          = 5 * time.Second
)

// withDefaults fills the fields of the plain and multiplexed schemes in.
func withDefaults(c broker.Config) broker.Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	atLeastOne(&c.MaxOffers, defaultMaxOffers)
	atLeastOne(&c.MaxUnclaimed, defaultMaxUnclaimed)
	atLeastOne(&c.Backlog, defaultBacklog)
	orDefault(&c.Patience, defaultPatience)
	orDefault(&c.UnclaimedTimeout, defaultUnclaimedTimeout)
	orDefault(&c.AcceptTimeout, defaultAcceptTimeout)
	orDefault(&c.Renewal, defaultRenewal)
	return c
}

func atLeastOne(n *int, otherwise int) {
	if *n <= 0 {
		*n = otherwise
	}
}

// orDefault fills a duration in, and takes one below 0 for one without end.
func orDefault(d *time.Duration, otherwise time.Duration) {
	switch {
	case *d == 0:
		*d = otherwise
	case *d < 0:
		*d = forever
	}
}

// forever outlives every process, and can still be added to a time.
const forever = 100 * 365 * 24 * time.Hour
