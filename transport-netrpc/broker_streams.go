package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
)

// ReaderRef is a reference to an io.Reader of the sender's, for a message:
// [Broker.LendReader] makes the reference, [Broker.BorrowReader] reads from it.
type ReaderRef struct{ ID uint32 }

// WriterRef is a reference to an io.Writer of the sender's, for a message:
// [Broker.LendWriter] makes the reference, [Broker.BorrowWriter] writes to it.
type WriterRef struct{ ID uint32 }

// LendReader lets the other side read from r, once, until ctx ends. An error of r
// makes the other side's reads fail, instead of seeming the end of the data; its
// text does not cross. r is not closed; while it blocks in Read, one goroutine stays
// with it. A nil r gives the zero ReaderRef, and borrowing that is an error.
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

// BorrowReader returns the other side's reader. Close it after use, also before its
// end: the other side then stops reading. ctx bounds the opening only; Close ends a
// Read.
func (b *Broker) BorrowReader(ctx context.Context, r ReaderRef) (io.ReadCloser, error) {
	if r.ID == 0 {
		return nil, errNothingLent
	}
	return b.Dial(ctx, r.ID)
}

// LendWriter lets the other side write to w, once, until ctx ends. w is not closed.
// If it fails, the other side's writes do. A nil w gives the zero WriterRef, and
// borrowing that is an error.
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

// BorrowWriter returns the other side's writer. Its Close returns when all data has
// reached that writer, or an error. ctx bounds the opening, and does not end a Write.
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

// stream accepts one connection to id and carries data over it. After a failure or
// the end of ctx, the other side sees a broken connection.
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
		return fmt.Errorf("a borrowed writer did not take all data: %w", err)
	default:
		return fmt.Errorf("a borrowed writer answered with %d bytes", n)
	}
}
