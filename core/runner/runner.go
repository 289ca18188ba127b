// Package runner brings a plugin to run, and sees it end.
//
// A [Runner] is one run of one plugin: it is started once, hands over what the
// plugin writes, is waited for by anybody, and can be forced to end. The one
// that everybody uses is a child process, [NewProcess]; a container or a
// sandbox is another implementation of the same interface, which usually
// embeds [Local] for the methods it does not care about.
//
//	p := runner.NewProcess(runner.Command{Path: "./greeter-plugin", Env: os.Environ()})
//	if err := p.Start(ctx); err != nil {
//		return err // a *StartError that says why, as far as looking could tell
//	}
//	defer p.Stdout().Close()
//	defer p.Stderr().Close()
//	exit, err := p.Wait(ctx)
//
// The package knows nothing of handshakes: what the plugin's output means, and
// which variables it needs in its environment, is its caller's business.
//
// # Who ends what
//
// A running [Process] holds one goroutine, which collects the process when it
// ends, and the reading ends of two pipes. All of it is gone once [Process.Wait]
// has returned and both readers have been closed or read to their end. (A stdin
// that is not a file has a goroutine of its own; see [Command].)
//
// # Running what was looked at
//
// A file can change between a check and the start. verify.Seal makes a copy that
// cannot change, to be checked and then run by [Command.Sealed].
//
// # Why a plugin did not start
//
// [Diagnose] looks at a file that the system refused to run and says in one
// sentence what is wrong and what to do. It only says what it has seen: where
// looking finds nothing, it says nothing.
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
