// Package plugin is a plugin's side: [Serve] is the whole of its main function.
//
//	func main() {
//		plugin.Serve(plugin.Config{
//			Handshake:  greeter.Handshake,
//			Versions:   greeter.Versions,
//			Implements: greeter.Plugin.Bind(english{}),
//		})
//	}
//
// Serve checks that a host of the application started the program, listens on a
// private socket, announces it to the host in one line on stdout, and answers
// calls until the host asks the plugin to leave. It works under hosts built on
// Jackfield and on hashicorp/go-plugin.
//
// While Serve runs, the program's prints on os.Stdout and os.Stderr go to
// the host, apart from the log. The log has the [log/slog] records
// written with [NewLogHandler].
package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"unicode"
	"unicode/utf8"

	"github.com/jackfield-go/jackfield/core"
)

// Serve runs the plugin until its host asks it to leave, and then returns, so that main can go on.
// SIGTERM ends it in the same order, and so does SIGHUP, unless the program was started with SIGHUP
// ignored, as by nohup. An interrupt (Ctrl-C, sent by a terminal to the host and its plugins alike)
// does not: the host decides. A write to a host that is gone fails, and does not end the program
// with SIGPIPE.
//
// When a host of this library has died, the plugin leaves in the same order, and its output goes
// nowhere. If it leads a process group (host.Config.Command.Group), the other members get SIGTERM
// before Serve returns. Two seconds after the host's death at the latest the process and its group
// are ended. With Config.Outlive, and the host's consent, nothing of this happens.
//
// Run with the one argument "describe" and without a host, the program describes itself on stdout
// (see [Info]), and Serve returns at once.
//
// Otherwise, without a host or with an invalid configuration, the program prints the reason on
// stderr and exits with status 1.
//
// While it runs, os.Stdout and os.Stderr are pipes to the host, and so is file descriptor 1 on
// Unix, where C code and children write. Descriptor 2 stays: the host reads it as the plugin's log.
func Serve(cfg Config) {
	if err := serveProcess(cfg); err != nil {
		fmt.Fprintln(os.Stderr, explain(err))
		os.Exit(1) //nolint:forbidigo // a plugin that cannot serve has nothing else to do
	}
}

// serveProcess runs the plugin in the environment of this process, which is
// restored afterwards.
func serveProcess(cfg Config) error {
	output, err := captureOutput()
	if err != nil {
		return fmt.Errorf("take over the plugin's output: %w", err)
	}
	defer output.restore()
	signals := make(chan os.Signal, 8)
	defer notifyEnds(signals)()
	surviveClosedPipes()
	preferLifeline()

	orphan := &orphan{output: output}
	defer orphan.leave()
	return Run(context.Background(), Env{
		Args:      os.Args[1:],
		Lookup:    os.LookupEnv,
		Unset:     func(key string) { _ = os.Unsetenv(key) },
		Announce:  output.announce,
		Log:       output.log,
		Stdout:    output.stdout.source,
		Stderr:    output.stderr.source,
		EndOutput: output.end,
		Signals:   signals,
		Orphaned:  orphan.begin,
	}, cfg)
}

// explain returns the text for a person who starts the plugin by hand or looks for
// the reason of a failed start.
func explain(err error) string {
	text := "plugin: " + err.Error()
	var cookie *core.CookieError
	if errors.As(err, &cookie) {
		text = cookie.Error()
	}
	if hint := core.Hint(err); hint != "" { // it may be the plugin's author
		first, size := utf8.DecodeRuneInString(hint)
		text += "\n(" + string(unicode.ToUpper(first)) + hint[size:] + ".)"
	}
	return text
}
