package probe

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
)

// Conn is a brokered connection for calls.
type Conn interface {
	grpc.ClientConnInterface
	io.Closer
}

// Broker has the methods of a library's broker that the probe and its hosts use.
type Broker interface {
	// NextID returns an unused ID of this side.
	NextID() uint32
	// Dial connects to the peer's server at id.
	Dial(ctx context.Context, id uint32) (Conn, error)
	// Serve serves the registered services to each dialer of id, until ctx ends; then it
	// returns nil. It calls ready once, as soon as the peer may learn id. Serve returns an
	// error only if it fails before ready.
	Serve(ctx context.Context, id uint32, ready func(), register func(grpc.ServiceRegistrar)) error
}

// Serving is a running server of a broker.
type Serving struct {
	// ID is its broker ID.
	ID uint32

	stop context.CancelFunc
	done <-chan error
}

// Serve lets broker serve at a new ID, with the services registered by register. It returns
// once the peer may learn the ID; if early, it returns at once.
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

// Stop ends the server and waits until the ID is no longer served.
func (s *Serving) Stop() error {
	s.stop()
	return <-s.done
}
