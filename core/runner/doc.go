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
// A file can change between the moment that somebody has looked at it and the
// one in which the system runs it. [Seal] makes a copy that cannot, to be looked
// at and then to be run by [Command.Sealed].
//
// # Why a plugin did not start
//
// [Diagnose] looks at a file that the system refused to run and says in one
// sentence what is wrong and what to do. It only says what it has seen: where
// looking finds nothing, it says nothing.
package runner
