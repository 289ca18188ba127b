package runner

import (
	"context"
	"io"
)

// A Runner is one run of one plugin, by whatever means it comes to run. Its
// methods may be called from any number of goroutines.
type Runner interface {
	// Start brings the plugin to run. ctx bounds the start only, not what runs
	// afterwards; a context that has ended starts nothing. A failure is a
	// *[StartError], and leaves nothing running. A second call after a success
	// is [ErrAlreadyStarted].
	Start(ctx context.Context) error

	// Stdout is what the plugin writes to its standard output, valid once Start
	// has succeeded. It ends with [io.EOF] once the plugin has ended and
	// everything it wrote has been read, even if a process that it started
	// still holds the pipe. Closing it early is allowed; whoever reads neither
	// to the end nor closes keeps a file open.
	Stdout() io.ReadCloser

	// Stderr is the same for the standard error.
	Stderr() io.ReadCloser

	// Wait returns how the plugin ended, once it has. Any number of callers may
	// wait, and each gets the same answer. The end of ctx ends only the wait,
	// with an error that wraps the context's. Before a successful Start it is
	// [ErrNotStarted].
	Wait(ctx context.Context) (Exit, error)

	// Kill forces the end of the plugin and waits until it is gone or ctx ends.
	// It is nil if the plugin is gone already or never ran.
	Kill(ctx context.Context) error

	// Name is what logs call the plugin: for a process, the last element of its
	// path.
	Name() string

	// ID tells this run from others, in logs and to a person: for a process,
	// the process ID. It is empty before a successful Start.
	ID() string

	// Diagnose returns one sentence that says why the plugin cannot run, or ran
	// and failed at once. It is empty unless the cause was seen.
	Diagnose(ctx context.Context) string

	AddrTranslator
}

// An AddrTranslator turns the addresses that a plugin names into addresses that
// the host can use, and the other way round, where the two do not see the same
// files and networks (a socket in a directory that is mounted elsewhere in a
// container). Networks and addresses are those of the net package.
type AddrTranslator interface {
	// PluginToHost translates an address that the plugin listens on into one
	// that the host can dial.
	PluginToHost(network, address string) (hostNetwork, hostAddress string, err error)

	// HostToPlugin translates an address that the host listens on into one that
	// the plugin can dial.
	HostToPlugin(network, address string) (pluginNetwork, pluginAddress string, err error)
}

// Local is the [AddrTranslator] of a plugin that sees the same files and
// networks as the host: every address stands for itself. It is meant to be
// embedded. The zero value is ready to use.
type Local struct{}

// PluginToHost returns the address as it is.
func (Local) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin returns the address as it is.
func (Local) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
