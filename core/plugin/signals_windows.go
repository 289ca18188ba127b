package plugin

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

var setConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// notifyEnds subscribes to the signals that end a plugin, and to interrupts, which do not. Ctrl-Break
// is SIGTERM: a host sends it to a plugin's group. Go takes it for an interrupt, so a handler of its
// own comes first. The returned function ends the subscription.
func notifyEnds(signals chan<- os.Signal) (stop func()) {
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	handler := windows.NewCallback(func(event uint32) uintptr {
		if event != windows.CTRL_BREAK_EVENT {
			return 0 // for the next handler
		}
		select {
		case signals <- syscall.SIGTERM:
		default:
		}
		return 1
	})
	handle := func(add uintptr) {
		_, _, _ = setConsoleCtrlHandler.Call(handler, add) // without a console there is no event either
	}
	handle(1)
	return func() {
		handle(0)
		signal.Stop(signals)
	}
}

// surviveClosedPipes has nothing to do: writes to closed pipes fail here.
func surviveClosedPipes() {}
