//go:build !unix && !windows

package plugin

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyEnds subscribes to the signals that end a plugin, and to interrupts, which do not. The
// returned function ends the subscription.
func notifyEnds(signals chan<- os.Signal) (stop func()) {
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return func() { signal.Stop(signals) }
}

// surviveClosedPipes has nothing to do: writes to closed pipes fail here.
func surviveClosedPipes() {}
