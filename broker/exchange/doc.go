// Package exchange makes extra connections between a host and a plugin with the
// two schemes of go-plugin's gRPC broker (protocol §5), without knowing gRPC:
// what the two sides tell each other is an [Info], and what carries it is a
// control [Stream].
//
// Either side takes a number ([Broker.NextID]), tells it to the other in a call
// of its own, and listens for it ([Broker.Listen]); the other side dials it
// ([Broker.Dial]). Between two sides of this package a number may be dialled
// before anybody listens for it, long after, many times, and by many goroutines
// at once.
//
// # Plain
//
// [Plain] has a socket for each listener. Its address goes to the other side
// once, as an offer; whoever dials connects to it. Offers are kept until newer
// ones push them out of a bounded table, or the next control stream begins.
//
// # Multiplexed
//
// [Multiplexed] has streams of one session that both sides share. A stream says
// nothing of what it is for, so a dialer knocks first: it names the number on
// the control stream, the other side acknowledges, and the next stream that the
// dialer opens belongs to that number. This package keeps the order that this
// asks for: see [Multiplexed.Dial] for the dialer and [Multiplexed.Listen] for
// the acceptor.
//
// # The control stream
//
// A broker's owner calls Run with the control stream, and again with the next
// one should it end. What needs the stream waits for it. What the other side
// sends is not trusted: it is bounded, what makes no sense is logged at a
// limited rate and ignored, and no record and no error quotes more than a part
// of it.
package exchange
