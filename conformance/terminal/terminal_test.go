//go:build linux || darwin

package terminal

import (
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// manners runs a test for each transport and each way to the terminal.
func manners(t *testing.T, test func(t *testing.T, transport, manner string), manners ...string) {
	t.Helper()
	for _, transport := range []string{"netrpc", "grpc"} {
		for _, manner := range manners {
			t.Run(transport+"/"+manner, func(t *testing.T) { test(t, transport, manner) })
		}
	}
}

func TestPluginReadsALine(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "line")
		s.sees("Line: ")
		s.types("hello\r")
		s.hears(`line: "hello", <nil>`)
		s.leaves()
	}, asStdin, sameGroup, ownGroup)
}

func TestPluginSharesStdinIfToldTo(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "stdin is a terminal", "line of stdin")
		if manner != asStdin {
			s.hears(`stdin is a terminal: "false", <nil>`)
			s.hears(`line of stdin: "", ...`)
			return
		}
		s.hears(`stdin is a terminal: "true", <nil>`)
		s.types("hello\r")
		s.hears(`line of stdin: "hello", <nil>`)
		s.leaves()
	}, asStdin, sameGroup)
}

func TestPasswordOfAGrandchildIsHidden(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "password", "line")
		s.sees("Password: ")
		s.types("secret\r")
		s.hears(`password: "secret", <nil>`)
		s.sees("Line: ")
		s.types("visible\r")
		s.hears(`line: "visible", <nil>`)
		s.sees("visible")
		if shown := s.everything(); strings.Contains(shown, "secret") {
			t.Errorf("the screen shows %q", shown)
		}
		s.leaves()
	}, asStdin, sameGroup, ownGroup)
}

func TestPluginKnowsTheSizeOfTheWindow(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "size", "resize")
		s.hears(`size: "80 by 24", <nil>`)
		s.sees("Watching.")
		if err := pty.Setsize(s.master, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
			t.Fatal(err)
		}
		s.hears(`resize: "120 by 40", <nil>`)
		s.leaves()
	}, asStdin, sameGroup, ownGroup)
}

// Ctrl-C ends the child of the plugin, and neither the plugin nor the host.
func TestInterruptReachesTheForeground(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "blocked", "line")
		s.sees("Blocked.")
		s.types("\x03")
		s.hears(`blocked: "", ...`)
		s.sees("Line: ")
		s.types("hello\r")
		s.hears(`line: "hello", <nil>`)
		s.hears("afterwards foreground: true, echo: true")
		s.hears("closed: <nil>")
		if manner == ownGroup {
			s.hears("interrupted: false")
		} else {
			s.hears("interrupted: true")
		}
		s.hears("host ended with 0")
	}, asStdin, sameGroup, ownGroup)
}

// Ctrl-Z stops the plugin and the host, and the shell continues both.
func TestHostAndPluginAreStoppedAndContinued(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "password", "line")
		s.sees("Password: ")
		for range 2 {
			s.types("\x1a")
			s.hears("host stopped")
			if manner == ownGroup && !echoes(int(s.terminal.Fd())) {
				t.Error("the shell has no echo: the host has not taken the terminal back")
			}
			s.command("fg")
			s.sees("Password: ")
		}
		s.types("secret\r")
		s.hears(`password: "secret", <nil>`)
		s.sees("Line: ")
		s.types("hello\r")
		s.hears(`line: "hello", <nil>`)
		s.leaves()
		if shown := s.everything(); strings.Contains(shown, "secret") {
			t.Errorf("the screen shows %q", shown)
		}
	}, asStdin, sameGroup, ownGroup)
}

// A host that is continued in the background waits until it has the terminal, and lends it then.
func TestHostContinuedInTheBackgroundWaitsForTheTerminal(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "line")
		s.sees("Line: ")
		s.types("\x1a")
		s.hears("host stopped")
		s.command("bg")
		s.hears("host stopped") // for want of the terminal
		s.command("fg")
		s.types("hello\r")
		s.hears(`line: "hello", <nil>`)
		s.leaves()
	}, ownGroup)
}

func TestTerminalIsTakenBackFromACrashedPlugin(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "crashed", "host line")
		s.hears("crashed: true, true")
		s.sees("Host: ")
		s.types("mine\r")
		s.hears(`host line: "mine", <nil>`)
		s.sees("mine")
		s.hears("afterwards foreground: true, echo: true")
	}, sameGroup, ownGroup)
}

func TestTerminalIsTakenBackFromAKilledPlugin(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "killed", "host line")
		s.hears("killed: true, ...")
		s.hears("again: true, ...")
		s.sees("Host: ")
		s.types("mine\r")
		s.hears(`host line: "mine", <nil>`)
		s.leaves()
	}, sameGroup, ownGroup)
}

func TestTerminalIsTakenBackAfterAPanic(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "panic", "line")
		s.hears("panic: on purpose")
		s.hears("goexit: foreground: true, echo: true")
		s.sees("Line: ")
		s.types("hello\r")
		s.hears(`line: "hello", <nil>`)
		s.leaves()
	}, sameGroup, ownGroup)
}

func TestTerminalIsLentOnce(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "nested", "background", "line")
		s.hears("nested: true, plugin actor: lend the terminal: the terminal is in use: the plugin has it already")
		s.hears("background: true, plugin actor: lend the terminal: the terminal is in use by process group ...")
		s.hears("line: ...")
	}, ownGroup)
}

func TestThereMayBeNoTerminalToLend(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "refused")
		s.hears("refused: true, plugin actor: lend the terminal: no terminal for a plugin in a session of its own (SysProcAttr.Setsid)")
		s.leaves()
	}, ownSession)
	t.Run("host without a terminal", func(t *testing.T) {
		s := take(t, seating{role: "host", attr: syscall.SysProcAttr{Setsid: true}}, "netrpc", ownGroup, "refused")
		s.hears("refused: true, plugin actor: lend the terminal: no terminal: open /dev/tty: ...")
		s.hears("afterwards ...")
		s.hears("closed: <nil>")
	})
}

// In a container the host may be the first process. No shell would continue it.
func TestHostWithoutAShellContinuesItsPlugin(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := take(t, seating{role: "host", attr: atTheTerminal}, transport, manner, "password")
		s.sees("Password: ")
		s.types("\x1a")
		s.sees("Password: ")
		s.types("secret\r")
		s.hears(`password: "secret", <nil>`)
		s.hears("afterwards foreground: true, echo: true")
		s.hears("closed: <nil>")
	}, ownGroup)
}

func TestPluginStoppedAtTheEndOfTheLoanGoesOn(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := take(t, seating{role: "host", attr: atTheTerminal}, transport, manner, "stopped at the end")
		s.hears("stopped at the end: <nil>")
		s.hears("afterwards foreground: true, echo: true")
		s.hears("closed: <nil>")
	}, ownGroup)
}
