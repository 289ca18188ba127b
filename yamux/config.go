package yamux

import (
	"fmt"
	"math"
	"time"
)

// Config configures a session. The zero value gives the defaults; sessions copy
// it.
type Config struct {
	// Window is the number of bytes of each stream that the peer may send ahead
	// of the reader. It is also the memory limit of a stream. 0 means 256 KiB.
	// This is the minimum, since the protocol grants it from the start.
	Window uint32

	// Backlog is the maximum number of the peer's streams waiting for Accept;
	// further streams are refused. It is also the maximum number of this side's
	// streams waiting for the peer's acknowledgement; Open then waits. 0 means
	// 256, as in other implementations.
	Backlog int

	// KeepAlive is the interval of pings that check the peer. 0 means none: the
	// death of a peer on the same machine closes the connection, and a peer in
	// a debugger can be silent for long.
	KeepAlive time.Duration

	// KeepAliveTimeout is the time limit for the answer to such a ping. A second
	// ping follows, with a limit of a second at most, since this process may have
	// been stopped meanwhile. Then the session ends with ErrKeepAliveTimeout. 0
	// means 30 seconds.
	KeepAliveTimeout time.Duration

	// CloseTimeout is the time a closed stream waits for the peer to end its
	// side; then it is reset. 0 means 5 minutes.
	CloseTimeout time.Duration

	// Linger limits the time Close takes to send queued data to a peer that has
	// stopped reading. After a failed write it also limits the time for
	// receiving earlier data of the peer. 0 means half a second; a negative
	// value disables it.
	Linger time.Duration
}

const (
	defaultBacklog          = 256
	defaultKeepAliveTimeout = 30 * time.Second
	defaultCloseTimeout     = 5 * time.Minute
	defaultLinger           = 500 * time.Millisecond
	maxBacklog              = 1 << 20
)

// Validate returns nil for a valid configuration, otherwise an error that wraps
// ErrConfig.
func (c Config) Validate() error {
	_, err := c.withDefaults()
	return err
}

// withDefaults returns c with defaults for zero values, or an error that wraps
// ErrConfig.
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
