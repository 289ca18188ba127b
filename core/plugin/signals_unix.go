//go:build unix

package plugin

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyEnds subscribes to the signals that end a plugin, and to interrupts, which do not. A signal
// ignored at the program's start stays ignored, as nohup wants it for SIGHUP. The returned function
// ends the subscription.
func notifyEnds(signals chan<- os.Signal) (stop func()) {
	signal.Notify(signals, os.Interrupt)
	for _, ends := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(ends) {
			signal.Notify(signals, ends)
		}
	}
	return func() { signal.Stop(signals) }
}

// surviveClosedPipes makes a write to a closed descriptor 1 or 2 fail: otherwise the log of a
// plugin whose host is gone would end it with SIGPIPE, before its shutdown functions. The setting
// stays after Serve, where main may log too. Children get the signal's default, unlike with
// signal.Ignore.
func surviveClosedPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
