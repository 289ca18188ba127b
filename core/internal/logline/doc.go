// Package logline is both sides of the protocol's log lines (protocol §7).
//
// A plugin has one channel for what it wants to tell before, beside and after
// its calls: descriptor 2. Whatever it writes there is read by its host and
// becomes records of the host's log. Most lines are JSON objects in the form
// that hashicorp/go-hclog writes:
//
//	{"@level":"info","@message":"ready","@timestamp":"2006-01-02T15:04:05.000000Z","port":4000}
//
// The rest is whatever programs print: lines with a [WARN] in front, the text
// of a panic, the output of a C library.
//
// The host calls [Pump], which reads all of it until the pipe ends and hands
// slog records to a logger, each with the level, the time and the attributes
// that the plugin gave it. A [Tail] beside it remembers the last lines, for
// the error of a launch that failed.
//
// The plugin logs through a [Handler], a slog.Handler that writes such lines.
// Hosts built on hashicorp/go-plugin read them as well.
//
// # What a line may do
//
// The plugin is not trusted: there is no line that panics the host, stalls it,
// or makes it keep more than the configured limits. A line that is not what it
// seems (a broken object, a level that does not exist, a timestamp that cannot
// be read) is passed on as the text it is.
package logline
