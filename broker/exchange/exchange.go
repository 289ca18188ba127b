// Package exchange makes extra connections between a host and a plugin with the
// two schemes of go-plugin's gRPC broker (protocol §5). It is independent of
// gRPC: the two sides exchange an [Info] over a control [Stream].
//
// Either side allocates an ID ([broker.IDs]), sends it to the other in a call
// of its own, and listens for it ([Scheme.Listen]); the other side dials it
// ([Scheme.Dial]). Between two sides of this package an ID may be dialled
// before its listener exists, long after, repeatedly, and by many goroutines at
// once.
//
// # Plain
//
// [Plain] has a socket for each listener. Its address goes to the other side
// once, as an offer; dialers connect to it. Offers are kept until newer offers
// push them out of a bounded table, or the next control stream begins.
//
// # Multiplexed
//
// [Multiplexed] uses streams of one [broker.Mux] shared by both sides. A stream
// does not carry its ID, so a dialer knocks first: it sends the ID on the
// control stream, the other side acknowledges, and the dialer's next stream
// belongs to the ID. This package keeps the required order: see
// [Multiplexed.Dial] for the dialer and [Multiplexed.Listen] for the acceptor.
//
// # The control stream
//
// A scheme's owner calls Run with the control stream, and again with the next
// stream after an end. Operations wait for the stream if they need it. The
// other side is not trusted: its input is bounded, invalid input is logged at a
// limited rate and ignored, and records and errors quote only a part of it.
package exchange

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// Info is a message on the control stream (ConnInfo of protocol §5). It is an
// offer with an address, or has a Knock: a knock, or the answer to a knock.
type Info struct {
	// ServiceID is the message's ID.
	ServiceID uint32
	// Network is "unix" or "tcp" in an offer.
	Network string
	// Address is a socket path or host:port in an offer.
	Address string
	// Knock is nil in an offer.
	Knock *Knock
}

// Knock asks for a connection, or answers the request.
type Knock struct {
	// Knock is true in both.
	Knock bool
	// Ack is true in an answer.
	Ack bool
	// Error is the reason of a refusal in an answer. Empty: the connection is
	// accepted.
	Error string
}

// Stream is the control stream. Send and Recv may run concurrently, but each
// has at most one call in progress.
type Stream interface {
	// Send sends one info. It may block until the other side reads.
	Send(info Info) error
	// Recv waits for the other side's next info. It returns io.EOF after the
	// other side has ended the stream in order.
	Recv() (Info, error)
}

// Interrupter is a [Stream] with an end from outside: Interrupt makes Send and
// Recv return soon, including calls in progress. It may be called at any time,
// and repeatedly. A client's stream has it in the cancel function of its
// context. Run receives on such a stream in its caller's goroutine and needs no
// other.
type Interrupter interface {
	Stream
	Interrupt()
}

// Scheme is one side of a broker: [Plain] or [Multiplexed]. It is safe for
// concurrent use.
type Scheme interface {
	// Dial connects to the other side's listener for id. It waits for the
	// listener, and for the control stream, until ctx ends. The connection is
	// bare: the caller adds TLS. Errors are the context's cause, net.ErrClosed,
	// *OfferError, *RefusedError, and broker.ErrUnclaimed if the offered address
	// has no listener any more.
	Dial(ctx context.Context, id uint32) (net.Conn, error)

	// Listen returns a listener for the other side's connections to id. It
	// accepts them until it or the scheme is closed. ctx limits only the call.
	// Errors are the context's cause, net.ErrClosed, and ErrListening for an ID
	// with a listener.
	Listen(ctx context.Context, id uint32) (net.Listener, error)

	// Run exchanges infos on s until the other side ends the stream, ctx ends,
	// or Close is called. It returns nil for the other side's end, otherwise
	// the reason. It may be called again with the next stream; an earlier Run
	// still in progress then ends with ErrReplaced.
	//
	// After Run has returned, its caller must end the stream. This ends a
	// blocked Send, and also the receiving goroutine unless s is an
	// Interrupter.
	Run(ctx context.Context, s Stream) error

	// Close ends the scheme: all waits return net.ErrClosed, the listeners
	// close, and the scheme's own goroutines end before it returns. It does not
	// wait for a Send or Recv of the control stream: they end with the stream.
	// Established connections live on.
	Close() error
}

var (
	_ Scheme = (*Plain)(nil)
	_ Scheme = (*Multiplexed)(nil)
)

// Defaults of both schemes.
const (
	defaultMaxOffers        = 1024
	defaultMaxUnclaimed     = 1024
	defaultBacklog          = 128
	defaultPatience         = 100 * time.Millisecond
	defaultUnclaimedTimeout = 4 * time.Second
	defaultAcceptTimeout    = 5 * time.Second
	defaultRenewal          = 5 * time.Second
)

// withDefaults sets the defaults of the plain and multiplexed schemes.
func withDefaults(c broker.Config) broker.Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	atLeastOne(&c.MaxOffers, defaultMaxOffers)
	atLeastOne(&c.MaxUnclaimed, defaultMaxUnclaimed)
	atLeastOne(&c.Backlog, defaultBacklog)
	orDefault(&c.Patience, defaultPatience)
	orDefault(&c.UnclaimedTimeout, defaultUnclaimedTimeout)
	orDefault(&c.AcceptTimeout, defaultAcceptTimeout)
	orDefault(&c.Renewal, defaultRenewal)
	return c
}

func atLeastOne(n *int, otherwise int) {
	if *n <= 0 {
		*n = otherwise
	}
}

// orDefault sets a duration's default and makes a negative duration endless.
func orDefault(d *time.Duration, otherwise time.Duration) {
	switch {
	case *d == 0:
		*d = otherwise
	case *d < 0:
		*d = forever
	}
}

// forever exceeds the life of every process, and can still be added to a time.
const forever = 100 * 365 * 24 * time.Hour
