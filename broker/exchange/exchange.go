package exchange

import (
	"context"
	"net"
)

// Info is what one side tells the other on the control stream: an offer, which
// has an address, or a knock or the answer to one, which has a Knock. It is the
// wire's ConnInfo (protocol §5).
type Info struct {
	// ServiceID is the number that it is about.
	ServiceID uint32
	// Network is "unix" or "tcp" in an offer.
	Network string
	// Address is a socket path or host:port in an offer.
	Address string
	// Knock is nil in an offer.
	Knock *Knock
}

// Knock asks to be let in, or answers the one who asked.
type Knock struct {
	// Knock is true in both.
	Knock bool
	// Ack is true in an answer.
	Ack bool
	// Error says in an answer why the other side does not let in; empty, it
	// does.
	Error string
}

// Stream is the control stream. Send and Recv may run at the same time, but
// neither is called again before it has returned.
type Stream interface {
	// Send sends one info. It may block until the other side reads.
	Send(info Info) error
	// Recv waits for the other side's next info. It returns io.EOF once the
	// other side has ended the stream in order.
	Recv() (Info, error)
}

// Interrupter is a [Stream] that can be ended from outside: Interrupt makes Send
// and Recv return soon, those in progress too. It may be called at any time, and
// more than once. A client's stream has that in the function that cancels its
// context. Run receives on such a stream in its caller's goroutine and needs no
// other.
type Interrupter interface {
	Stream
	Interrupt()
}

// Broker is one side of either scheme. Its methods may be called by many
// goroutines.
type Broker interface {
	// NextID returns a number that this side has not used before; the first is
	// 1. The other side counts for itself: the same number may be in use in both
	// directions, and that does no harm.
	NextID() uint32

	// Dial connects to the listener for id at the other side. It waits for one
	// as long as ctx lets it, for the control stream too. The connection is
	// bare: TLS is the caller's. Errors: the context's cause; broker.ErrClosed;
	// broker.ErrUnclaimed when there is nobody any more at the address that was
	// offered; *InfoError and *KnockError.
	Dial(ctx context.Context, id uint32) (net.Conn, error)

	// Listen returns a listener that accepts every connection dialled to id at
	// the other side until it or the broker is closed. ctx bounds only the call.
	// Errors: the context's cause; broker.ErrClosed; ErrListening for a number
	// that has a listener.
	Listen(ctx context.Context, id uint32) (net.Listener, error)

	// Run exchanges infos on s until the other side ends the stream, which is no
	// error, ctx ends or Close is called, and says otherwise why it ended. It may
	// be called again with the next stream; should the one before still run, it
	// ends with ErrReplaced.
	//
	// Once Run has returned, its caller ends the stream: that ends a Send that
	// still blocks, and unless s is an Interrupter, the goroutine that receives.
	Run(ctx context.Context, s Stream) error

	// Close ends the broker: everything that waits returns broker.ErrClosed, the
	// listeners close, and the broker's own goroutines end before it returns. It
	// does not wait for a Send or Recv of the control stream: those end with it.
	// Connections that were dialled or accepted live on.
	Close() error
}

var (
	_ Broker = (*Plain)(nil)
	_ Broker = (*Multiplexed)(nil)
)
