package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
)

// ReaderRef stands in a message for an io.Reader of the sender's: [Broker.LendReader]
// makes one, [Broker.BorrowReader] reads from it.
type ReaderRef struct{ ID uint32 }

// WriterRef stands in a message for an io.Writer of the sender's: [Broker.LendWriter]
// makes one, [Broker.BorrowWriter] writes to it.
type WriterRef struct{ ID uint32 }

// LendReader lets the other side read from r, once, until ctx ends. An error of r
// makes the other side's reads fail, instead of seeming the end of the data; its
// text does not cross. r is not closed; while it blocks in Read, one goroutine stays
// with it. A nil r gives the zero ReaderRef, which cannot be borrowed.
func (b *Broker) LendReader(ctx context.Context, r io.Reader) ReaderRef {
	if r == nil {
		return ReaderRef{}
	}
	id := b.ids.Next()
	b.stream(ctx, id, func(conn broker.Conn) error {
		if _, err := io.Copy(conn, r); err != nil {
			return err
		}
		return conn.Close()
	})
	return ReaderRef{ID: id}
}

// BorrowReader returns the reader that the other side lent. Close it after use,
// also before its end: the other side then stops reading. Its Read does not end
// with ctx, which bounds the opening; Close ends it.
func (b *Broker) BorrowReader(ctx context.Context, r ReaderRef) (io.ReadCloser, error) {
	if r.ID == 0 {
		return nil, errNothingLent
	}
	return b.Dial(ctx, r.ID)
}

// LendWriter lets the other side write to w, once, until ctx ends. w is not closed.
// If it fails, the other side's writes do. A nil w gives the zero WriterRef, which
// cannot be borrowed.
func (b *Broker) LendWriter(ctx context.Context, w io.Writer) WriterRef {
	if w == nil {
		return WriterRef{}
	}
	id := b.ids.Next()
	b.stream(ctx, id, func(conn broker.Conn) error {
		if _, err := io.Copy(w, conn); err != nil {
			return err
		}
		return conn.Close() // the other side's Close waits for this
	})
	return WriterRef{ID: id}
}

// BorrowWriter returns the writer that the other side lent. Its Close returns
// when all that was written has reached the other side's writer, or with an
// error if it has not. Its Write does not end with ctx, which bounds the
// opening.
func (b *Broker) BorrowWriter(ctx context.Context, w WriterRef) (io.WriteCloser, error) {
	if w.ID == 0 {
		return nil, errNothingLent
	}
	conn, err := b.Dial(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	return &remoteWriter{Conn: conn}, nil
}

// stream accepts one connection to id and carries data over it; when that fails
// or ctx ends, the other side sees a broken connection.
func (b *Broker) stream(ctx context.Context, id uint32, carry func(broker.Conn) error) {
	go func() {
		ctx, cancel := b.within(ctx)
		defer cancel()
		conn, err := b.inner.Accept(ctx, id)
		if err != nil {
			return
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Reset() })
		defer stop()
		if err := carry(conn); err != nil {
			_ = conn.Reset()
		}
	}()
}

// remoteWriter ends in agreement with the other side.
type remoteWriter struct {
	broker.Conn

	closing sync.Once
	err     error
}

func (w *remoteWriter) Close() error {
	w.closing.Do(func() { w.err = w.finish() })
	return w.err
}

func (w *remoteWriter) finish() error {
	defer func() { _ = w.Conn.Close() }()
	if err := w.CloseWrite(); err != nil {
		return fmt.Errorf("end a borrowed writer: %w", err)
	}
	switch n, err := w.Read(make([]byte, 1)); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("a borrowed writer did not take all that was written: %w", err)
	default:
		return fmt.Errorf("a borrowed writer answered with %d bytes", n)
	}
}
