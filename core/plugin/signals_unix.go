//go:build unix

package plugin

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyEnds asks for the signals that end a plugin, and for interrupts, which do not.
// A signal that was ignored when the program started stays ignored, as nohup wants it
// for SIGHUP.
func notifyEnds(signals chan<- os.Signal) {
	signal.Notify(signals, os.Interrupt)
	for _, ends := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(ends) {
			signal.Notify(signals, ends)
		}
	}
}

// surviveClosedPipes makes a write to a closed descriptor 1 or 2 fail: the log of a
// plugin whose host is gone would end it with SIGPIPE otherwise, before its shutdown
// functions. It stays so after Serve, where main may log too. Children get the
// signal's default, unlike with signal.Ignore.
func surviveClosedPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
