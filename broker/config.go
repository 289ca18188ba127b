package broker

import (
	"log/slog"
	"time"
)

// Config holds the bounds of a broker's scheme. The zero value is ready for use.
// Each scheme looks at the fields that name it: prefixed is net/rpc's, plain and
// multiplexed are gRPC's.
type Config struct {
	// Logger takes what the other side does wrong, in the plain and multiplexed
	// schemes. nil means that of the transport, and nowhere without a transport.
	Logger *slog.Logger

	// UnclaimedTimeout is how long a connection that the other side dialled
	// waits for somebody to claim its ID, before it is dropped or refused. 0 means
	// 30 seconds in the prefixed scheme; below 0, as long as its dialer waits.
	//
	// In the multiplexed scheme it is a knock that waits, and 0 means 4 seconds. A
	// dialer of this module knocks again. A dialer of go-plugin forgets its knock
	// after 5 seconds, and a later acknowledgement would send each later stream to
	// the wrong listener: more than 4 seconds are for peers without go-plugin.
	UnclaimedTimeout time.Duration

	// MaxUnclaimed bounds the connections or knocks of the other side that wait to
	// be claimed. 0 or less means 1024.
	//
	// Above it the prefixed scheme drops the oldest. It bounds the streams without
	// an ID so far as well: above it new ones are refused. The multiplexed scheme
	// refuses knocks above it. It also forgets the oldest of its own knocks above
	// it that nobody waits for any more; and ends the exchange with an error if the
	// other side leaves as many answers unread, or 1024 if that is more.
	MaxUnclaimed int

	// PrefixTimeout is how long the other side may take over the four bytes of an
	// ID, in the prefixed scheme. 0 means 10 seconds; below 0, for ever.
	PrefixTimeout time.Duration

	// MaxOffers bounds the offers of the other side that the plain scheme keeps:
	// above it, the oldest is dropped. 0 or less means 1024.
	MaxOffers int

	// Backlog bounds the connections that wait to be accepted, for each listener
	// of the multiplexed scheme: above it, knocks wait until there is room. 0 or
	// less means 128.
	Backlog int

	// Patience is how long an unanswered knock keeps other dials of the
	// multiplexed scheme waiting. It stays pending after that. The unanswered
	// knocks share the time: with one pending, the next has half of it, with two a
	// third, and so on. 0 means 100 milliseconds; below 0, for ever.
	Patience time.Duration

	// AcceptTimeout is how long the multiplexed scheme waits for the other side to
	// accept a stream before it goes on to the next. 0 means 5 seconds; below 0,
	// for ever.
	AcceptTimeout time.Duration

	// Renewal is how long the multiplexed scheme waits for an answer before it
	// takes a knock for lost and, if somebody still waits, knocks again. go-plugin
	// drops knocks that found no listener for 5 seconds. 0 means 5 seconds; below
	// 0, for ever.
	Renewal time.Duration
}

// Defaults of the prefixed scheme.
const (
	defaultUnclaimedTimeout = 30 * time.Second
	defaultPrefixTimeout    = 10 * time.Second
	defaultMaxUnclaimed     = 1024
)

func (c Config) withDefaults() Config {
	if c.UnclaimedTimeout == 0 {
		c.UnclaimedTimeout = defaultUnclaimedTimeout
	}
	if c.PrefixTimeout == 0 {
		c.PrefixTimeout = defaultPrefixTimeout
	}
	if c.MaxUnclaimed <= 0 {
		c.MaxUnclaimed = defaultMaxUnclaimed
	}
	return c
}
