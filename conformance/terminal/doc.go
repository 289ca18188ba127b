// Package terminal tests plugins at a terminal: each test is a person at a pseudo-terminal with a
// small shell, which starts a host, which launches a plugin, over net/rpc and over gRPC. The plugin
// has the terminal as the host's standard input, or the host lends it with Client.WithTerminal, to a
// plugin in its own process group or in another one.
//
// All processes are this package's test binary in a role. The host and the shell report to the test
// through a pipe, so that the screen has only what a person would see.
package terminal
