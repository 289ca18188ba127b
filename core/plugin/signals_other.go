//go:build !unix

package plugin

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyEnds subscribes to the signals that end a plugin, and to interrupts, which do not.
func notifyEnds(signals chan<- os.Signal) { signal.Notify(signals, os.Interrupt, syscall.SIGTERM) }

// surviveClosedPipes has nothing to do: writes to closed pipes fail here.
func surviveClosedPipes() {}
