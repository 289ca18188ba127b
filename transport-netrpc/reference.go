package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
)

// Object stands in a message for an object of the sender's, whose methods the
// receiver can call: [Broker.Object] makes one, [Broker.OpenObject] turns it
// into a Client.
type Object struct{ ID uint32 }

// Reader stands in a message for an io.Reader of the sender's: [Broker.Reader]
// makes one, [Broker.OpenReader] reads from it.
type Reader struct{ ID uint32 }

// Writer stands in a message for an io.Writer of the sender's: [Broker.Writer]
// makes one, [Broker.OpenWriter] writes to it.
type Writer struct{ ID uint32 }

// Object lets the other side call the methods of object, over any number of
// connections, until ctx ends: commonly that of the call that carries the
// reference.
//
//	ctx, cancel := context.WithCancel(ctx)
//	defer cancel()
//	adder, err := b.Object(ctx, &adderServer{a})
//	…
//	err = c.Call(ctx, "Put", PutArgs{Key: key, Adder: adder}, &sum)
//
// The methods have the form described at [Plugin].
func (b *Broker) Object(ctx context.Context, object any) (Object, error) {
	s, err := newService(object)
	if err != nil {
		return Object{}, err
	}
	id := b.inner.NextID()
	go func() { _ = b.serve(ctx, id, services{pluginService: s}) }()
	return Object{ID: id}, nil
}

// OpenObject returns a client of the object that the other side passed. Close
// it after use.
func (b *Broker) OpenObject(ctx context.Context, o Object) (*Client, error) {
	if o.ID == 0 {
		return nil, errNothingPassed
	}
	return b.Client(ctx, o.ID)
}

// Reader lets the other side read from r, once, until ctx ends. What r answers
// beside io.EOF makes the other side's reads fail, instead of seeming the end of
// the data; its text does not cross. r is not closed; while it blocks in Read, one goroutine stays with
// it.
func (b *Broker) Reader(ctx context.Context, r io.Reader) Reader {
	id := b.inner.NextID()
	b.stream(ctx, id, func(conn broker.Conn) error {
		if _, err := io.Copy(conn, r); err != nil {
			return err
		}
		return conn.Close()
	})
	return Reader{ID: id}
}

// OpenReader returns the reader that the other side passed. Close it after use,
// also before its end: the other side then stops reading. Its Read does not end
// with ctx, which bounds the opening; Close ends it.
func (b *Broker) OpenReader(ctx context.Context, r Reader) (io.ReadCloser, error) {
	if r.ID == 0 {
		return nil, errNothingPassed
	}
	return b.inner.Dial(ctx, r.ID)
}

// Writer lets the other side write to w, once, until ctx ends. w is not closed.
// If it fails, the other side's writes do.
func (b *Broker) Writer(ctx context.Context, w io.Writer) Writer {
	id := b.inner.NextID()
	b.stream(ctx, id, func(conn broker.Conn) error {
		if _, err := io.Copy(w, conn); err != nil {
			return err
		}
		return conn.Close() // the other side's Close waits for this
	})
	return Writer{ID: id}
}

// OpenWriter returns the writer that the other side passed. Its Close returns
// when all that was written has reached the other side's writer, or with an
// error if it has not. Its Write does not end with ctx, which bounds the
// opening.
func (b *Broker) OpenWriter(ctx context.Context, w Writer) (io.WriteCloser, error) {
	if w.ID == 0 {
		return nil, errNothingPassed
	}
	conn, err := b.inner.Dial(ctx, w.ID)
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
		return fmt.Errorf("end of a passed writer: %w", err)
	}
	switch n, err := w.Read(make([]byte, 1)); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("a passed writer did not take all that was written: %w", err)
	default:
		return fmt.Errorf("a passed writer answered with %d bytes", n)
	}
}
