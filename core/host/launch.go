package host

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/socket"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// Launch runs a plugin and connects to it. It returns when calls can be made.
// With a *[LaunchError] no process is left. ctx limits the launch, not the
// plugin's life: that ends with Close, Stop or Kill of the client.
func Launch(ctx context.Context, cfg Config) (*Client, error) {
	l := &launch{cfg: cfg}
	l.clock.enter(StageConfigure)
	if err := cfg.validate(); err != nil {
		return nil, l.failure(ctx, err)
	}
	l.cfg, l.ownRunner = cfg.withDefaults(), cfg.Runner != nil
	ctx, cancel := l.limit(ctx)
	defer cancel()
	returned := false
	defer func() {
		if !returned { // a function of the configuration panics
			_ = l.failure(ctx, errPanic)
		}
	}()
	client, err := l.run(ctx)
	if err != nil {
		err = l.failure(ctx, err)
		l.recordFailure(ctx, err)
	}
	returned = true
	return client, err
}

// limit applies Config.Timeouts.Start.
func (l *launch) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := l.cfg.Timeouts.Start
	if limit < 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, limit, &TimeoutError{Limit: limit, err: context.DeadlineExceeded})
}

// With launches a plugin, calls f with it, and closes it when f has ended: by returning, by a
// panic, or by runtime.Goexit. So no plugin stays behind, unlike with a forgotten Close, or a
// deferred one on a shadowed variable.
//
// The context of f is derived from ctx. It is canceled before the plugin is closed, to end the
// calls of goroutines still running from f. The client is of no use after With. f may close the
// plugin itself, and [Client.Done] reports the plugin's end to f. The plugin gets the time of
// [Client.Close] to leave, also when ctx has ended; f calls [Client.Stop] or [Client.Kill] to grant
// it less.
//
// The error is that of the launch, a *[LaunchError] without a call of f, or those of f and of the
// close, joined if there are both.
func With(ctx context.Context, cfg Config, f func(ctx context.Context, client *Client) error) (err error) {
	if f == nil {
		return errors.New("nothing to do with the plugin: the function for host.With is nil")
	}
	client, err := Launch(ctx, cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		if end := client.Close(); end != nil && !errors.Is(err, end) { // f may have returned it
			err = errors.Join(err, end)
		}
	}()
	return f(ctx, client)
}

// errPanic ends a launch that does not return.
var errPanic = errors.New("a function of the configuration panicked")

// launch is one attempt.
type launch struct {
	cfg      Config
	clock    stopwatch
	sockets  *sockets          // nil before there are any
	identity *tlsutil.Identity // nil without AutoMTLS
	static   *core.TLS         // of Config.TLS
	process  *process          // nil before the start

	ownRunner bool             // the configuration has one
	program   *verify.Approved // the program that runs; nil without a verifier
}

func (l *launch) run(ctx context.Context) (*Client, error) {
	if err := l.start(ctx); err != nil {
		return nil, err
	}
	l.clock.enter(StageHandshake)
	line, err := l.process.stdout.handshake(ctx)
	if err != nil {
		return nil, err
	}
	return l.connect(ctx, line)
}

// connect connects to the plugin of a handshake line.
func (l *launch) connect(ctx context.Context, line handshake.Line) (*Client, error) {
	l.clock.enter(StageNegotiate)
	if err := l.process.refuse(line.Network, line.Address); err != nil {
		return nil, err
	}
	transport, err := l.negotiate(line)
	if err != nil {
		return nil, err
	}
	if err := l.require(line); err != nil {
		return nil, err
	}
	tls, err := l.security(line)
	if err != nil {
		return nil, err
	}
	l.sockets.secured = tls != nil
	l.clock.enter(StageConnect)
	session, err := transport.Dial(ctx, l.link(line, tls))
	if err != nil {
		return nil, fmt.Errorf("connect to the plugin at %s %s %s: %w", line.Network, line.Address, l.manner(tls), err)
	}
	if !l.process.own(session) {
		return nil, errors.New("the plugin's process ended as soon as it was connected to")
	}
	l.clock.enter("")
	info := l.info(line, tls != nil)
	l.record(ctx, info, tls)
	l.sockets.dir.Sweep() // after the launch, to keep its 4 % out of the launch
	return &Client{
		name:     l.cfg.Name,
		timeouts: l.cfg.Timeouts,
		process:  l.process,
		session:  session,
		info:     info,
		line:     line,
		identity: l.identity,
		bound:    !l.cfg.Command.Outlive,
		stopped:  make(chan struct{}),
	}, nil
}

// start starts the program.
func (l *launch) start(ctx context.Context) (err error) {
	if err := l.prove(ctx); err != nil {
		return err
	}
	if l.sockets, err = newSockets(l.cfg.Sockets, l.cfg.Command.SysProcAttr); err != nil {
		return err
	}
	command := l.command()
	if err := l.verify(ctx, &command); err != nil {
		return err
	}
	run, err := l.cfg.Runner(command)
	if err == nil && run == nil {
		err = errors.New("the function Config.Runner returned nil")
	}
	if err != nil {
		return fmt.Errorf("make the runner: %w", err)
	}
	if l.cfg.Name == "" {
		l.cfg.Name = run.Name()
	}
	l.clock.enter(StageStart)
	if l.ownRunner { // its ID is unknown
		l.sockets.dir.ServesUnknown()
	}
	if err := run.Start(ctx); err != nil {
		return err
	}
	l.process = watch(run, l.sockets, l.program, l.cfg)
	l.process.keepDir()
	return nil
}

// verify has a sealed copy of the program approved, and makes it what the command
// runs. A runner of the caller's own need not know of copies: it gets a path.
func (l *launch) verify(ctx context.Context, command *runner.Command) error {
	if l.cfg.Verify.Verifier == nil {
		return nil
	}
	file, err := command.Open()
	if err != nil {
		l.clock.enter(StageStart) // no other program could have been run either
		return err
	}
	defer file.Close()
	before := l.clock.stage
	l.clock.enter(StageVerify)
	l.program, err = l.cfg.Verify.Approve(ctx, file, verify.Target{
		InFile: l.ownRunner,
		Shared: runsAsAnother(command.SysProcAttr),
	})
	if err != nil {
		return err
	}
	if l.ownRunner {
		command.Path, err = l.program.Sealed().Path(ctx)
	} else {
		command.Sealed = l.program.Sealed()
	}
	if err != nil {
		return err
	}
	l.clock.enter(before)
	return nil
}

// negotiate finds the host's transport for the plugin's announcement.
func (l *launch) negotiate(line handshake.Line) (core.Transport, error) {
	if l.cfg.Versions[line.AppVersion] == nil {
		mismatch := &core.VersionError{Host: l.cfg.Versions.Numbers(), Plugin: []int{line.AppVersion}}
		if list, ok := handshake.Extension(line.Fields, handshake.FieldVersions); ok {
			if versions := handshake.ParseVersions(list); len(versions) > 0 {
				mismatch.Plugin, mismatch.Complete = versions, true
			}
		}
		return nil, mismatch
	}
	protocol := core.Protocol(line.Protocol)
	transport := l.cfg.Versions.Transport(line.AppVersion, protocol)
	if transport == nil {
		return nil, &core.ProtocolError{
			Got:       protocol,
			Version:   line.AppVersion,
			Supported: l.cfg.Versions.Protocols(line.AppVersion),
		}
	}
	return transport, nil
}

// link returns the transport's view of a launch.
func (l *launch) link(line handshake.Line, tls *core.TLS) core.HostLink {
	p := l.process
	namer := &socket.Namer{Prefix: "h"}
	return core.HostLink{
		Plugin:  l.cfg.Name,
		Logger:  p.logger,
		Version: line.AppVersion,
		Fields:  line.Fields,
		TLS:     tls,
		Stdout:  l.cfg.Outputs.PrintedStdout,
		Stderr:  l.cfg.Outputs.PrintedStderr,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return p.dial(ctx, line.Network, line.Address)
		},
		DialAddress:       p.dial,
		Listen:            func(ctx context.Context) (core.Listener, error) { return p.listen(ctx, namer) },
		ConnectionTimeout: l.cfg.Timeouts.Connection,
		Exited:            p.ended,
		Explain:           p.explain,
	}
}
