package exchange

import (
	"log/slog"
	"time"
)

// Defaults of [Config].
const (
	DefaultMaxOffers        = 1024
	DefaultMaxPending       = 1024
	DefaultBacklog          = 128
	DefaultPatience         = 100 * time.Millisecond
	DefaultUnclaimedTimeout = 4 * time.Second
	DefaultAcceptTimeout    = 5 * time.Second
	DefaultRenewal          = 5 * time.Second
)

// Config holds a broker's bounds. The zero value is ready for use.
type Config struct {
	// Logger takes what the other side does wrong. nil means that nobody wants
	// to know.
	Logger *slog.Logger

	// MaxOffers bounds the offers that a plain broker keeps: above it, the oldest
	// is dropped. 0 or less means DefaultMaxOffers.
	MaxOffers int

	// MaxPending bounds the knocks of the other side that wait for a listener:
	// above it, they are refused at once. It also bounds the knocks of ours that
	// are not answered and that nobody waits for any more (above it, the oldest
	// is forgotten), and the answers that the other side has not read, which may
	// be DefaultMaxPending at least (more end the exchange with ErrUnread). 0 or
	// less means DefaultMaxPending.
	MaxPending int

	// Backlog bounds the connections that wait to be accepted, for each
	// listener of a multiplexed broker: above it, knocks wait until there is
	// room. 0 or less means DefaultBacklog.
	Backlog int

	// Patience is how long an unanswered knock keeps other dials of a
	// multiplexed broker waiting. It stays pending after that. The time is
	// shared by the unanswered knocks: with one pending, the next has half of
	// it, with two a third, and so on. 0 means DefaultPatience; below 0, for
	// ever.
	Patience time.Duration

	// UnclaimedTimeout is how long a knock of the other side waits for a
	// listener before it is refused. A dialer of this package knocks again; one
	// of go-plugin's has forgotten its knock after 5 seconds, and an
	// acknowledgement after that would send each later stream to the wrong
	// listener. 0 means DefaultUnclaimedTimeout; below 0, for ever, for where no
	// go-plugin is.
	UnclaimedTimeout time.Duration

	// AcceptTimeout is how long a multiplexed broker waits for the other side to
	// accept a stream before it goes on to the next. 0 means
	// DefaultAcceptTimeout; below 0, for ever.
	AcceptTimeout time.Duration

	// Renewal is after what time a multiplexed broker takes an unanswered knock
	// for lost and, if somebody waits for it still, knocks again. go-plugin
	// drops knocks that found no listener for 5 seconds. 0 means DefaultRenewal;
	// below 0, never.
	Renewal time.Duration
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	atLeastOne(&c.MaxOffers, DefaultMaxOffers)
	atLeastOne(&c.MaxPending, DefaultMaxPending)
	atLeastOne(&c.Backlog, DefaultBacklog)
	orDefault(&c.Patience, DefaultPatience)
	orDefault(&c.UnclaimedTimeout, DefaultUnclaimedTimeout)
	orDefault(&c.AcceptTimeout, DefaultAcceptTimeout)
	orDefault(&c.Renewal, DefaultRenewal)
	return c
}

func atLeastOne(n *int, otherwise int) {
	if *n <= 0 {
		*n = otherwise
	}
}

// orDefault fills a duration in, and takes one below 0 for one without end.
func orDefault(d *time.Duration, otherwise time.Duration) {
	switch {
	case *d == 0:
		*d = otherwise
	case *d < 0:
		*d = forever
	}
}

// forever outlives every process, and can still be added to a time.
const forever = 100 * 365 * 24 * time.Hour
