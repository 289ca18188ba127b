package yamux

import (
	"fmt"
	"math"
	"time"
)

// Config sets a session up. The zero value is usable and gives the defaults;
// sessions copy it.
type Config struct {
	// Window is how many bytes of each stream the peer may send ahead of the
	// reader; so much memory a stream can cost. 0 means 256 KiB, which is also
	// the minimum, since the protocol grants that much unasked.
	Window uint32

	// Backlog is how many of the peer's streams may wait for Accept (more are
	// refused), and how many of ours may wait for the peer's acknowledgement
	// (Open then waits). 0 means 256, what other implementations have.
	Backlog int

	// KeepAlive is the time between pings that check the peer. 0 means none:
	// the death of a peer on the same machine closes the connection, and a
	// peer in a debugger is silent for long without being dead.
	KeepAlive time.Duration

	// KeepAliveTimeout is how long such a ping may take before the session
	// ends with ErrKeepAliveTimeout. 0 means 30 seconds.
	KeepAliveTimeout time.Duration

	// CloseTimeout is how long a closed stream waits for the peer to end its
	// side too before it is reset. 0 means 5 minutes.
	CloseTimeout time.Duration

	// Linger bounds what Close spends on sending what is still queued, for
	// the case of a peer that has stopped reading, and the time that is left
	// for receiving what the peer had sent once a write has failed. 0 means
	// half a second; negative means not at all.
	Linger time.Duration
}

const (
	defaultBacklog          = 256
	defaultKeepAliveTimeout = 30 * time.Second
	defaultCloseTimeout     = 5 * time.Minute
	defaultLinger           = 500 * time.Millisecond
	maxBacklog              = 1 << 20
)

// Validate reports what makes the configuration unusable, an error that wraps
// ErrConfig, or nil.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

// withDefaults returns c with its zero values filled in, or an error that
// wraps ErrConfig.
func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Window != 0 && c.Window < initialWindow:
		return c, fmt.Errorf("%w: Window %d is less than %d", ErrConfig, c.Window, initialWindow)
	case c.Window > math.MaxInt32:
		return c, fmt.Errorf("%w: Window %d is more than %d", ErrConfig, c.Window, math.MaxInt32)
	case c.Backlog < 0 || c.Backlog > maxBacklog:
		return c, fmt.Errorf("%w: Backlog %d is not between 0 and %d", ErrConfig, c.Backlog, maxBacklog)
	case c.KeepAlive < 0 || c.KeepAliveTimeout < 0 || c.CloseTimeout < 0:
		return c, fmt.Errorf("%w: a duration is negative", ErrConfig)
	}
	setDefault(&c.Window, initialWindow)
	setDefault(&c.Backlog, defaultBacklog)
	setDefault(&c.KeepAliveTimeout, defaultKeepAliveTimeout)
	setDefault(&c.CloseTimeout, defaultCloseTimeout)
	setDefault(&c.Linger, defaultLinger)
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
