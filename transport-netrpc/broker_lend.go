package transportnetrpc

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
)

// ObjectRef is a reference to an object of the sender's, for a message. The receiver
// calls the object's methods: [Broker.Lend] makes the reference, [Broker.Borrow] turns
// it into a Client. The zero value refers to nothing, and borrowing it is an error.
type ObjectRef struct{ ID uint32 }

// Lend lets the other side call the methods of object, over any number of
// connections, until ctx ends. Commonly ctx is the context of the call with the
// reference.
//
//	ctx, cancel := context.WithCancel(ctx)
//	defer cancel()
//	adder, err := b.Lend(ctx, &adderServer{a})
//	…
//	err = c.Call(ctx, "Put", PutArgs{Key: key, Adder: adder}, &sum)
//
// The methods have the form described at [Carry].
func (b *Broker) Lend(ctx context.Context, object any) (ObjectRef, error) {
	s, err := rpc.NewService(object)
	if err != nil {
		return ObjectRef{}, err
	}
	id := b.ids.Next()
	go func() { _ = b.serve(ctx, id, s) }()
	return ObjectRef{ID: id}, nil
}

// Borrow returns a client of the other side's object, until ctx ends: in a method of a
// plugin, until the call ends. Close ends it earlier.
func (b *Broker) Borrow(ctx context.Context, o ObjectRef) (*Client, error) {
	if o.ID == 0 {
		return nil, errNothingLent
	}
	c, err := b.Client(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, open := b.clients[c]; open {
		b.clients[c] = func() { stop() }
	} else {
		stop()
	}
	return c, nil
}

// errNothingLent is the error of borrowing a zero reference.
var errNothingLent = errors.New("the other side lent nothing here: the reference is zero")
