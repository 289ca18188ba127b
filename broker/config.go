package broker

import (
	"log/slog"
	"time"
)

// Config holds the limits of a broker's scheme. The zero value is ready for
// use. Each scheme uses the fields that mention it: prefixed is net/rpc's
// scheme; plain and multiplexed are gRPC's.
type Config struct {
	// Logger gets reports of the other side's errors in the plain and
	// multiplexed schemes. nil means the transport's logger, or [slog.Default]
	// without a transport; a logger of [slog.DiscardHandler] is silent.
	Logger *slog.Logger

	// UnclaimedTimeout is the time a connection from the other side waits for a claim of its ID,
	// before it is dropped or refused. 0 means 30 seconds in the prefixed scheme; a negative value
	// means as long as its dialer waits.
	//
	// In the multiplexed scheme it applies to a knock, and 0 means 4 seconds. A dialer of this
	// module knocks again. A dialer of go-plugin forgets its knock after 5 seconds, and a later
	// acknowledgement would send all later streams to the wrong listener. Set more than 4 seconds
	// only for peers without go-plugin.
	UnclaimedTimeout time.Duration

	// MaxUnclaimed limits the unclaimed connections or knocks of the other side. 0 or less means
	// 1024.
	//
	// The prefixed scheme drops the oldest above it. The same limit applies to streams still
	// without an ID: further streams are refused. The multiplexed scheme refuses knocks above it,
	// and forgets the oldest of its own abandoned knocks above it. It ends the exchange with an
	// error if the other side leaves more answers unread than this limit, or than 1024 if that is
	// more.
	MaxUnclaimed int

	// PrefixTimeout is the time limit for the other side to send the four bytes
	// of an ID, in the prefixed scheme. 0 means 10 seconds; a negative value
	// means no limit.
	PrefixTimeout time.Duration

	// MaxOffers limits the other side's offers kept by the plain scheme: above
	// it, the oldest is dropped. 0 or less means 1024.
	MaxOffers int

	// Backlog limits the connections waiting for Accept, for each listener of
	// the multiplexed scheme. Above it, knocks wait for room. 0 or less means
	// 128.
	Backlog int

	// Patience is the time an unanswered knock delays other dials of the multiplexed scheme. After
	// that it stays pending. Unanswered knocks share the time: with one pending, the next gets half
	// of it, with two a third, and so on. 0 means 100 milliseconds; a negative value means no
	// limit.
	Patience time.Duration

	// AcceptTimeout is the time the multiplexed scheme waits for the other side to accept a stream
	// before it opens the next. 0 means 5 seconds; a negative value means no limit.
	AcceptTimeout time.Duration

	// Renewal is the time the multiplexed scheme waits for an answer before it treats a knock as
	// lost. It then knocks again if a dial still waits. go-plugin drops knocks that find no
	// listener within 5 seconds. 0 means 5 seconds; a negative value means no limit.
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
