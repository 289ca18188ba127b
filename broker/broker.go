// Package broker makes extra connections between a host and a plugin out of the
// one that they have: either side allocates a number, tells it to the other in
// a call of its own, and then one of them accepts the number while the other
// dials it.
//
// The package knows nothing of what the connections carry. Its scheme is the one
// of protocol §4: a dialer opens a stream of the shared session and writes the
// number on it, four bytes little-endian; the acceptor that claims the number
// writes the same bytes back.
package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of [Config].
const (
	DefaultUnclaimedTimeout = 30 * time.Second
	DefaultPrefixTimeout    = 10 * time.Second
	DefaultMaxUnclaimed     = 1024
)

// ErrClosed is returned once the broker or the session beneath it has ended.
var ErrClosed = errors.New("broker closed")

// ErrUnclaimed is returned by Dial when the other side hung up instead of
// accepting: nobody there claims the number.
var ErrUnclaimed = errors.New("nobody accepts this number at the other side")

// Config holds a broker's bounds. The zero value is ready for use.
type Config struct {
	// UnclaimedTimeout is how long a connection that the other side dialled
	// waits for somebody to accept its number, then it is dropped. 0 means
	// DefaultUnclaimedTimeout; below 0, it waits as long as its dialer does.
	UnclaimedTimeout time.Duration
	// PrefixTimeout is how long the other side may take over the four bytes
	// that name a connection. 0 means DefaultPrefixTimeout; below 0, for ever.
	PrefixTimeout time.Duration
	// MaxUnclaimed bounds the connections that wait to be accepted: above it
	// the oldest is dropped. It bounds those that have not named their number
	// yet as well: above it new ones are refused. 0 or less means
	// DefaultMaxUnclaimed.
	MaxUnclaimed int
}

func (c Config) withDefaults() Config {
	if c.UnclaimedTimeout == 0 {
		c.UnclaimedTimeout = DefaultUnclaimedTimeout
	}
	if c.PrefixTimeout == 0 {
		c.PrefixTimeout = DefaultPrefixTimeout
	}
	if c.MaxUnclaimed <= 0 {
		c.MaxUnclaimed = DefaultMaxUnclaimed
	}
	return c
}

// Broker numbers connections and matches dialers with acceptors. It is safe for
// use by many goroutines.
type Broker struct {
	session Session
	cfg     Config
	lastID  atomic.Uint32
	table   table
	ctx     context.Context // ends with Close
	cancel  context.CancelCauseFunc
	running sync.WaitGroup // the accept loop and what identifies streams
	naming  chan struct{}  // a token for each stream whose number is being read
}

// New starts a broker on session. From then on the broker accepts the session's
// streams; those that a protocol opens without a number come before.
func New(session Session, cfg Config) *Broker {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancelCause(context.Background())
	b := &Broker{
		session: session,
		cfg:     cfg,
		ctx:     ctx,
		cancel:  cancel,
		naming:  make(chan struct{}, cfg.MaxUnclaimed),
	}
	b.table.init(cfg.MaxUnclaimed, cfg.UnclaimedTimeout)
	b.running.Go(b.acceptStreams)
	return b
}

// NextID returns a number that this side has not used before. The other side
// counts for itself: the same number may be in use in both directions, and that
// does no harm.
func (b *Broker) NextID() uint32 {
	return b.lastID.Add(1)
}

// Dial connects to the acceptor of id at the other side. It waits until there is
// one or ctx ends. If the other side gives the connection up instead, the error
// is ErrUnclaimed.
func (b *Broker) Dial(ctx context.Context, id uint32) (Conn, error) {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.ctx, func() { cancel(ErrClosed) })()
	conn, err := b.dial(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, b.reason(ctx, err))
	}
	return conn, nil
}

func (b *Broker) dial(ctx context.Context, id uint32) (Conn, error) {
	conn, err := b.session.Open(ctx)
	if err != nil {
		return nil, err
	}
	err = bounded(ctx, conn, func() error {
		if err := writeID(conn, id); err != nil && !isClosed(conn.PeerDone()) {
			return err
		}
		got, err := readID(conn)
		switch {
		case errors.Is(err, io.EOF), err != nil && isClosed(conn.PeerDone()):
			return ErrUnclaimed
		case err != nil:
			return err
		case got != id:
			return fmt.Errorf("the other side confirmed number %d instead", got)
		}
		return nil
	})
	if err != nil {
		_ = conn.Reset()
		return nil, err
	}
	return conn, nil
}

// Accept waits for a connection to id, or for ctx to end. Of several waiting for
// one number each gets a connection, in the order of their coming.
func (b *Broker) Accept(ctx context.Context, id uint32) (Conn, error) {
	for {
		conn, err := b.table.claim(ctx, id, b.session.Done())
		if err != nil {
			return nil, fmt.Errorf("accept brokered connection %d: %w", id, b.reason(ctx, err))
		}
		if err = bounded(ctx, conn, func() error { return writeID(conn, id) }); err == nil {
			return conn, nil
		}
		// The dialer has gone, or ctx has ended: claim tells which.
		_ = conn.Reset()
	}
}

// Close ends the broker: everything that waits returns ErrClosed, and
// connections that nobody has accepted are dropped. Accepted ones live on with
// the session, which is not closed.
func (b *Broker) Close() error {
	b.cancel(ErrClosed)
	b.table.close()
	b.running.Wait()
	return nil
}

// reason turns the error of something that was waiting into what ended it.
func (b *Broker) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case <-b.session.Done():
		if cause := b.session.Err(); cause != nil && !errors.Is(cause, err) {
			return fmt.Errorf("%w: %w", ErrClosed, cause)
		}
		return ErrClosed
	default:
	}
	if b.ctx.Err() != nil {
		return ErrClosed
	}
	return err
}

func (b *Broker) acceptStreams() {
	for {
		conn, err := b.session.Accept(b.ctx)
		if err != nil {
			b.table.close()
			return
		}
		select {
		case b.naming <- struct{}{}:
			b.running.Go(func() {
				defer func() { <-b.naming }()
				b.identify(conn)
			})
		default:
			_ = conn.Reset()
		}
	}
}

// identify reads the stream's number. Each stream is read on its own, so that
// one that dawdles keeps nobody waiting.
func (b *Broker) identify(conn Conn) {
	ctx := b.ctx
	if b.cfg.PrefixTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.cfg.PrefixTimeout)
		defer cancel()
	}
	var id uint32
	err := bounded(ctx, conn, func() (err error) {
		id, err = readID(conn)
		return err
	})
	if err != nil || !b.table.offer(id, conn) {
		_ = conn.Reset()
	}
}

// isClosed tells whether done is closed.
func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// past is a deadline that has always expired.
var past = time.Unix(1, 0)

// bounded runs an exchange on conn and interrupts it when ctx ends.
func bounded(ctx context.Context, conn Conn, exchange func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })
	err := exchange()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

func writeID(w io.Writer, id uint32) error {
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, id))
	return err
}

func readID(r io.Reader) (uint32, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(prefix[:]), nil
}
