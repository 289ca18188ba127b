package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Prefixed is the scheme of net/rpc: the ID is the prefix of a stream. It is
// safe for concurrent use. Create it with [NewPrefixed].
type Prefixed struct {
	mux     Mux
	cfg     Config
	table   table
	ctx     context.Context // ends with Close
	cancel  context.CancelCauseFunc
	running sync.WaitGroup // the accept loop and the readers of IDs
	naming  chan struct{}  // a token for each stream still without an ID
}

// NewPrefixed starts the scheme on mux and accepts its streams from then on. A
// protocol opens its streams without an ID before that.
func NewPrefixed(mux Mux, cfg Config) *Prefixed {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancelCause(context.Background())
	b := &Prefixed{
		mux:    mux,
		cfg:    cfg,
		ctx:    ctx,
		cancel: cancel,
		naming: make(chan struct{}, cfg.MaxUnclaimed),
	}
	b.table.init(cfg.MaxUnclaimed, cfg.UnclaimedTimeout)
	b.running.Go(b.acceptStreams)
	return b
}

// Dial connects to the other side's acceptor of id. It waits for the acceptor
// until ctx ends. If the other side drops the connection instead, the error is
// ErrUnclaimed.
func (b *Prefixed) Dial(ctx context.Context, id uint32) (Conn, error) {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.ctx, func() { cancel(net.ErrClosed) })()
	conn, err := b.dial(within, id)
	if err != nil {
		return nil, fmt.Errorf("dial brokered connection %d: %w", id, b.reason(ctx, err))
	}
	return conn, nil
}

func (b *Prefixed) dial(ctx context.Context, id uint32) (Conn, error) {
	conn, err := b.mux.Open(ctx)
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
			return fmt.Errorf("the other side confirmed ID %d instead", got)
		}
		return nil
	})
	if err != nil {
		_ = conn.Reset()
		return nil, err
	}
	return conn, nil
}

// Accept waits for a connection to id, or for the end of ctx. Concurrent calls
// for one ID get one connection each, in the order of the calls.
func (b *Prefixed) Accept(ctx context.Context, id uint32) (Conn, error) {
	for {
		conn, err := b.table.claim(ctx, id, b.mux.Done())
		if err != nil {
			return nil, fmt.Errorf("accept brokered connection %d: %w", id, b.reason(ctx, err))
		}
		if err = bounded(ctx, conn, func() error { return writeID(conn, id) }); err == nil {
			return conn, nil
		}
		// The dialer is gone, or ctx has ended: claim decides.
		_ = conn.Reset()
	}
}

// Close ends the broker: all waits return net.ErrClosed, and unclaimed
// connections are dropped. Accepted connections live on with the Mux, which
// stays open.
func (b *Prefixed) Close() error {
	b.cancel(net.ErrClosed)
	b.table.close()
	b.running.Wait()
	return nil
}

// reason converts the error of a wait into the reason of its end.
func (b *Prefixed) reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case <-b.mux.Done():
		if cause := b.mux.Err(); errors.Is(cause, net.ErrClosed) {
			return cause
		} else if cause != nil {
			return fmt.Errorf("%w: %w", net.ErrClosed, cause)
		}
		return net.ErrClosed
	default:
	}
	if b.ctx.Err() != nil {
		return net.ErrClosed
	}
	return err
}

func (b *Prefixed) acceptStreams() {
	for {
		conn, err := b.mux.Accept(b.ctx)
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

// identify reads the stream's ID. Each stream has its own reader, so a slow
// stream delays no other.
func (b *Prefixed) identify(conn Conn) {
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

// isClosed reports whether done is closed.
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

// Listen returns a listener for id, for servers with a net.Listener. It accepts
// every connection to the ID until it or the broker is closed.
func (b *Prefixed) Listen(id uint32) net.Listener {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &listener{broker: b, id: id, ctx: ctx, cancel: cancel}
}

type listener struct {
	broker *Prefixed
	id     uint32
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.broker.Accept(l.ctx, l.id)
	if err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: err}
	}
	return conn, nil
}

func (l *listener) Close() error {
	l.cancel(net.ErrClosed)
	return nil
}

func (l *listener) Addr() net.Addr { return Addr(l.id) }
