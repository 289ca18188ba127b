package plugin

import (
	"io"
	"os"
)

// Env is what surrounds a plugin: [Serve] takes the process's, tests give their
// own. Every field but Args and Signals is required.
type Env struct {
	// Args are the program's arguments, without its name. Nil: none.
	Args []string
	// Lookup reads an environment variable.
	Lookup func(key string) (string, bool)
	// Unset removes one; it is called for the protocol's variables once they
	// have been read, so that no child of the plugin inherits them.
	Unset func(key string)
	// Announce takes the handshake line, or the description, in one write.
	Announce io.Writer
	// Log takes the log lines of the default logger.
	Log io.Writer
	// Stdout and Stderr are what the plugin prints.
	Stdout, Stderr io.Reader
	// EndOutput makes Stdout and Stderr reach their ends. It may be called
	// again.
	EndOutput func()
	// Signals are those that the process gets: os.Interrupt is for the host to
	// act on, any other asks the plugin to leave. Nil: none come.
	Signals <-chan os.Signal
}
