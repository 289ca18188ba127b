package probe

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
)

// Conn is a brokered connection: something to call on, and to close.
type Conn interface {
	grpc.ClientConnInterface
	io.Closer
}

// Broker is what the probe and its hosts need of a library's broker.
type Broker interface {
	// NextID returns an ID that this side has not used yet.
	NextID() uint32
	// Dial connects to what the peer serves at id.
	Dial(ctx context.Context, id uint32) (Conn, error)
	// Serve serves what register registers to whoever dials id, until ctx ends:
	// then it returns nil. It calls ready, once, as soon as id may be told to
	// the peer. An error from before that is the only one.
	Serve(ctx context.Context, id uint32, ready func(), register func(grpc.ServiceRegistrar)) error
}

// Serving is something that a broker serves.
type Serving struct {
	// ID is where.
	ID uint32

	stop context.CancelFunc
	done <-chan error
}

// Serve has broker serve what register registers, which gets the ID, at a new ID,
// and returns once that may be told. If early, it returns at once.
func Serve(ctx context.Context, broker Broker, early bool, register func(r grpc.ServiceRegistrar, id uint32)) (*Serving, error) {
	id := broker.NextID()
	ctx, stop := context.WithCancel(ctx)
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- broker.Serve(ctx, id, func() { close(ready) }, func(r grpc.ServiceRegistrar) { register(r, id) })
	}()
	serving := &Serving{ID: id, stop: stop, done: done}
	if early {
		return serving, nil
	}
	select {
	case <-ready:
		return serving, nil
	case err := <-done:
		stop()
		return nil, fmt.Errorf("serve at the broker ID %d: ended before it began: %w", id, err)
	case <-ctx.Done():
		stop()
		return nil, context.Cause(ctx)
	}
}

// Stop ends it and waits until nothing serves there any more.
func (s *Serving) Stop() error {
	s.stop()
	return <-s.done
}
