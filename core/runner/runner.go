// Package runner starts a plugin and sees it end.
//
// A [Runner] is one run of one plugin. It starts once, hands over the plugin's
// output, lets any caller wait for the end, and can force it. The usual runner is a
// child process, [NewProcess]. A container or a sandbox is another implementation of
// the interface, usually with an embedded [Local] for the methods without a meaning
// there.
//
//	p := runner.NewProcess(runner.Command{Path: "./greeter-plugin", Env: os.Environ()})
//	if err := p.Start(ctx); err != nil {
//		return err // a *StartError with the cause, as far as looking could tell
//	}
//	defer p.Stdout().Close()
//	defer p.Stderr().Close()
//	exit, err := p.Wait(ctx)
//
// The package knows nothing of handshakes: the meaning of the plugin's output, and
// the variables in its environment, are up to the caller.
//
// # Ownership
//
// A running [Process] holds one goroutine, to collect the process when it ends, and
// the reading ends of two pipes, and on Linux two pidfds. All of it is gone once [Process.Wait] has returned
// and both readers have been closed or read to their end. (A stdin other than a file
// has a goroutine of its own; see [Command].) On Linux the running processes share another
// goroutine with its thread, which started them.
//
// # Running the checked content
//
// A file can change between a check and the start. verify.Seal makes a copy that
// cannot change, to be checked and then run by [Command.Sealed].
//
// # Plugins that do not start
//
// [Diagnose] looks at a file that the system refused to run and returns one sentence
// with the cause and the remedy. It says only things that it has seen: where looking
// finds nothing, it says nothing.
package runner

import (
	"context"
	"io"
)

// A Runner is one run of one plugin, by whatever means it comes to run. Its
// methods may be called from any number of goroutines.
//
// A Runner may also have [Process.Terminate]: a host calls it for a plugin that it
// cannot ask to leave, and kills one without. With the methods of an [Attacher] a host
// takes over plugins that run already.
type Runner interface {
	// Start starts the plugin. ctx bounds the start only, not the run; an ended
	// context starts nothing. A failure is a *[StartError], and leaves nothing
	// running. A second call after a success is [ErrAlreadyStarted].
	Start(ctx context.Context) error

	// Stdout is the plugin's standard output, valid once Start has succeeded. It ends
	// with [io.EOF] once the plugin has ended and all its output has been read, even
	// if a child of the plugin still holds the pipe. Closing it early is allowed; a
	// reader neither read to the end nor closed keeps a file open.
	Stdout() io.ReadCloser

	// Stderr is the same for the standard error.
	Stderr() io.ReadCloser

	// Wait returns how the plugin ended, once it has. Any number of callers may wait,
	// and each gets the same answer. The end of ctx ends only the wait, with an error
	// that wraps the context's. Before a successful Start it is [ErrNotStarted].
	Wait(ctx context.Context) (Exit, error)

	// Kill forces the end of the plugin and waits until it is gone or ctx ends.
	// It is nil if the plugin is gone already or never ran.
	Kill(ctx context.Context) error

	// Name is the plugin's name in logs: for a process, the last element of its path.
	Name() string

	// ID tells this run from others, in logs and to a person: for a process,
	// the process ID. It is empty before a successful Start.
	ID() string

	// Diagnose returns one sentence with the reason why the plugin cannot run, or ran
	// and failed at once. It is empty unless the cause was seen.
	Diagnose(ctx context.Context) string

	AddrTranslator
}

// An Attacher is a Runner that can take over a run, and let it go. [Process] is one.
type Attacher interface {
	Runner

	// Attach takes the place of Start, for a run that another Runner started, in this
	// program or another one. id is the ID there, and started the text of Started, or
	// empty. A run that has ended is an [os.ErrProcessDone], also if another run has its
	// ID by now. A failure leaves the run as it was.
	Attach(ctx context.Context, id, started string) error

	// Started tells the run from any other one with its ID, at any time. Empty: that is
	// unknown, or the run has ended.
	Started() string

	// Detach lets the run go on without this Runner, which is then as before Start. Its
	// readers are closed. Before Start it does nothing.
	Detach()
}

// An AddrTranslator turns the plugin's addresses into addresses for the host, and the
// reverse, where the two do not see the same files and networks (a socket in a
// directory that is mounted elsewhere in a container). Networks and addresses are
// those of the net package.
type AddrTranslator interface {
	// PluginToHost translates an address on which the plugin listens into an address
	// for the host to dial.
	PluginToHost(network, address string) (hostNetwork, hostAddress string, err error)

	// HostToPlugin translates an address on which the host listens into an address
	// for the plugin to dial.
	HostToPlugin(network, address string) (pluginNetwork, pluginAddress string, err error)
}

// Local is the [AddrTranslator] of a plugin with the host's files and networks: every
// address stands for itself. It is meant to be embedded. The zero value is ready to
// use.
type Local struct{}

// PluginToHost returns the address as it is.
func (Local) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin returns the address as it is.
func (Local) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
