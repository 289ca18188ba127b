// Package exchange makes extra connections between a host and a plugin with the
// two schemes of go-plugin's gRPC broker (protocol §5), without knowing gRPC:
// what the two sides tell each other is an [Info], and what carries it is a
// control [Stream].
//
// Either side allocates an ID ([broker.IDs]), tells it to the other in a call of
// its own, and listens for it ([Scheme.Listen]); the other side dials it
// ([Scheme.Dial]). Between two sides of this package an ID may be dialled before
// anybody listens for it, long after, many times, and by many goroutines at once.
//
// # Plain
//
// [Plain] has a socket for each listener. Its address goes to the other side
// once, as an offer; whoever dials connects to it. Offers are kept until newer
// ones push them out of a bounded table, or the next control stream begins.
//
// # Multiplexed
//
// [Multiplexed] has streams of one [broker.Mux] that both sides share. A stream
// says nothing of what it is for, so a dialer knocks first: it names the ID on the
// control stream, the other side acknowledges, and the next stream that the dialer
// opens belongs to that ID. This package keeps the order that this
// asks for: see [Multiplexed.Dial] for the dialer and [Multiplexed.Listen] for
// the acceptor.
//
// # The control stream
//
// A scheme's owner calls Run with the control stream, and again with the next
// one should it end. What needs the stream waits for it. What the other side
// sends is not trusted: it is bounded, what makes no sense is logged at a
// limited rate and ignored, and no record and no error quotes more than a part
// of it.
package exchange

import (
	"context"
	"net"
)

// Info is what one side tells the other on the control stream: an offer, which
// has an address, or a knock or the answer to one, which has a Knock. It is the
// wire's ConnInfo (protocol §5).
type Info struct {
	// ServiceID is the ID that it is about.
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

// Scheme is one side of a broker: [Plain] or [Multiplexed]. Its methods may be
// called by many goroutines.
type Scheme interface {
	// Dial connects to the listener for id at the other side. It waits for one
	// as long as ctx lets it, for the control stream too. The connection is
	// bare: TLS is the caller's. Errors: the context's cause; net.ErrClosed;
	// broker.ErrUnclaimed when there is nobody any more at the address that was
	// offered; *InfoError and *KnockError.
	Dial(ctx context.Context, id uint32) (net.Conn, error)

	// Listen returns a listener that accepts every connection dialled to id at
	// the other side until it or the scheme is closed. ctx bounds only the call.
	// Errors: the context's cause; net.ErrClosed; ErrListening for an ID
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

	// Close ends the scheme: everything that waits returns net.ErrClosed, the
	// listeners close, and the scheme's own goroutines end before it returns. It
	// does not wait for a Send or Recv of the control stream: those end with it.
	// Connections that were dialled or accepted live on.
	Close() error
}

var (
	_ Scheme = (*Plain)(nil)
	_ Scheme = (*Multiplexed)(nil)
)
