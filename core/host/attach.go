package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/peercred"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// Attach takes over a plugin that runs already: a plugin of another host, which that host's
// [Client.Reattach] describes, or a plugin in test mode. The plugin may be of this library or
// another one. ctx limits the attaching. With an *[AttachError] the plugin runs on as before.
//
// The client is as after a launch, with these differences. The plugin's prints come over the
// connection, but its log stays where the first host put it. The status of its exit is known only
// if this process was the first host, before an exec(3). The directory with its sockets is removed
// after its end. Nothing is run: Config.Command serves a Config.Runner alone, which must return a
// [runner.Attacher]. A Config.Verify is refused, since a running program cannot be verified.
//
// The plugin's process is watched and ended only if it is certainly the plugin's: its start agrees
// with data.Started. If that is empty, as in the data of other libraries, the process must be the
// listening one, as far as the system tells. Otherwise, and without data.ID, the end of the
// connection is the end of the plugin, and nothing is killed.
//
// A plugin under AutoMTLS takes a host with data.Secret alone. Config.AutoMTLS then only decides
// whether a plugin without is refused; other certificates come from Config.TLS.
//
// A plugin in test mode is not ended by the client: Close, Stop and Kill detach from it. No timeout
// of Config.Timeouts limits the attaching, since a debugger may hold the plugin.
func Attach(ctx context.Context, cfg Config, data handshake.Reattach) (*Client, error) {
	l := &launch{cfg: cfg}
	l.clock.enter(StageConfigure)
	if err := cfg.validateAttach(data); err != nil {
		return nil, l.attachFailure(ctx, data, err)
	}
	l.cfg, l.ownRunner = cfg.withDefaults(), cfg.Runner != nil
	if data.Test {
		l.cfg.Timeouts.Start, l.cfg.Timeouts.Connection = -1, unlimited
	}
	ctx, cancel := l.limit(ctx)
	defer cancel()
	returned := false
	defer func() {
		if !returned { // a function of the configuration panics
			_ = l.attachFailure(ctx, data, errPanic)
		}
	}()
	client, err := l.attach(ctx, data)
	if err != nil {
		err = l.attachFailure(ctx, data, err)
	}
	returned = true
	return client, err
}

// unlimited is a time for a person at a debugger.
const unlimited = 365 * 24 * time.Hour

func (c Config) validateAttach(data handshake.Reattach) error {
	var err error
	if c.Verify.Verifier != nil {
		err = errors.Join(err, errors.New("there is a Config.Verify.Verifier, and a program that runs already cannot be verified: "+
			"leave it out if the first host has verified the plugin"))
	}
	return c.validateWith(errors.Join(err, c.checkAgainst(data)))
}

// checkAgainst compares the wanted security with the plugin's.
func (c Config) checkAgainst(data handshake.Reattach) error {
	secured := data.Line.ServerCert != nil
	switch {
	case !secured && c.AutoMTLS == MTLSRequired:
		return fmt.Errorf("the plugin was launched without AutoMTLS, or is in test mode (MTLSPreferred takes it): %w", ErrNoCertificate)
	case secured && c.TLS != nil:
		return fmt.Errorf("the plugin was launched with AutoMTLS, and Config.TLS is set: %w", ErrUnaskedCertificate)
	case secured && data.Secret == "":
		return ErrNoSecret
	}
	return nil
}

// ErrNoSecret is the error of reattach data without the secret for a plugin under AutoMTLS.
var ErrNoSecret = errors.New("the plugin is under AutoMTLS, and the data has no secret to call it with: " +
	"the first host passes it on with handshake.FormatReattachSecrets")

// attach connects to the plugin.
func (l *launch) attach(ctx context.Context, data handshake.Reattach) (_ *Client, err error) {
	line := data.Line
	if line.AppVersion, err = l.versionOf(line); err != nil {
		return nil, err
	}
	if line.ServerCert != nil {
		l.identity, err = tlsutil.ParseIdentity(string(data.Secret))
	} else if l.static, err = l.cfg.TLS.Provide(ctx); err != nil {
		err = fmt.Errorf("get the certificates of Config.TLS: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if l.sockets, err = newSockets(l.cfg.Sockets, nil); err != nil {
		return nil, err
	}
	l.sockets.serve(line.Network, line.Address)
	run, err := l.takeOver(ctx, data)
	if err != nil {
		return nil, err
	}
	l.process = watch(run, l.sockets, nil, l.cfg)
	client, err := l.connect(ctx, line)
	if err != nil {
		return nil, err
	}
	client.attached, client.test, client.bound = true, data.Test, false
	if lone, ok := run.(*unwatched); ok {
		lone.endsWith(client.session, line)
	}
	return client, nil
}

// versionOf returns the plugin's application version: the host's only one if the data does not
// tell.
func (l *launch) versionOf(line handshake.Line) (int, error) {
	numbers := l.cfg.Versions.Numbers()
	switch {
	case line.AppVersion != 0 || l.cfg.Versions[0] != nil:
		return line.AppVersion, nil
	case len(numbers) == 1:
		return numbers[0], nil
	}
	return 0, fmt.Errorf("the reattach data does not tell the plugin's application version, and the host has %d: "+
		"set Line.AppVersion, or offer one in Config.Versions", len(numbers))
}

// takeOver returns a runner of the plugin's process.
func (l *launch) takeOver(ctx context.Context, data handshake.Reattach) (runner.Runner, error) {
	run := runner.Runner(runner.NewProcess(runner.Command{Path: l.cfg.Command.Path}))
	if l.ownRunner && !data.Test {
		var err error
		if run, err = l.cfg.Runner(l.command()); err == nil && run == nil {
			err = errors.New("the function Config.Runner returned nil")
		}
		if err != nil {
			return nil, fmt.Errorf("make the runner: %w", err)
		}
	}
	if l.cfg.Name == "" {
		l.cfg.Name = "plugin"
		if l.ownRunner || l.cfg.Command.Path != "" {
			l.cfg.Name = run.Name()
		}
	}
	attacher, ok := run.(runner.Attacher)
	_, isProcess := run.(*runner.Process)
	switch {
	case !ok:
		return nil, fmt.Errorf("the runner of Config.Runner, a %T, is no runner.Attacher: it cannot take over a plugin", run)
	case isProcess && !l.isPlugins(ctx, data):
		return newUnwatched(l.cfg.Name, data.ID), nil
	}
	err := attacher.Attach(ctx, data.ID, data.Started)
	if err != nil && data.Test {
		return newUnwatched(l.cfg.Name, data.ID), nil // perhaps it runs in a container
	}
	return run, err
}

// isPlugins reports whether the data's process may be watched and ended as the plugin's, or will be
// refused for its start.
func (l *launch) isPlugins(ctx context.Context, data handshake.Reattach) bool {
	switch {
	case data.ID == "" || data.ID == strconv.Itoa(os.Getpid()):
		return false
	case data.Started != "" || data.Test || data.Line.Network != handshake.NetworkUnix:
		return true
	}
	conn, err := new(net.Dialer).DialContext(ctx, data.Line.Network, data.Line.Address)
	if err != nil {
		return true // the connection to come fails too
	}
	defer conn.Close()
	pid := peercred.PID(conn)
	if pid == 0 || strconv.Itoa(pid) == data.ID {
		return true
	}
	l.cfg.Logger.WarnContext(ctx, "the plugin's process is not watched: another one listens at its address",
		"plugin", l.cfg.Name, "process", data.ID, "listening", pid)
	return false
}

// attachFailure gives up everything begun, leaves the plugin alone, and returns an AttachError.
func (l *launch) attachFailure(ctx context.Context, data handshake.Reattach, reason error) error {
	e := &AttachError{Plugin: l.cfg.Name, Network: data.Line.Network, Address: data.Line.Address, Err: withContext(ctx, reason)}
	switch {
	case l.process != nil:
		if ctx.Err() == nil {
			found := l.oneSided(reason)
			e.Hint, e.ForDeveloper = found.user, found.developer
		}
		_ = l.process.detach()
	default:
		l.sockets.leave()
	}
	return e
}

// Reattach describes the plugin for [Attach] in another host, or in a successor of this one. The
// client goes on. Under AutoMTLS the data has the secret of this host: whoever gets it can call the
// plugin, and nobody else can. Pass it on with handshake.FormatReattachSecrets, through a pipe.
//
// A plugin that has ended is a [core.ErrClosed]. A runner other than a [runner.Attacher] is an
// error too: nobody could watch its plugin.
func (c *Client) Reattach() (handshake.Reattach, error) {
	started, ok := c.process.runner.(interface{ Started() string })
	if !ok {
		return handshake.Reattach{}, fmt.Errorf("%s: reattach: its runner, a %T, is no runner.Attacher", called(c.name), c.process.runner)
	}
	data := handshake.Reattach{Line: c.line, ID: c.ID(), Started: started.Started(), Test: c.test}
	if c.process.hasEnded() {
		return handshake.Reattach{}, fmt.Errorf("%s: reattach: %w", called(c.name), core.ErrClosed)
	}
	if c.line.ServerCert != nil {
		secret, err := c.identity.MarshalSecret()
		if err != nil {
			return handshake.Reattach{}, fmt.Errorf("%s: reattach: %w", called(c.name), err)
		}
		data.Secret = handshake.Secret(secret)
	}
	return data, nil
}

// Detach lets the plugin go on without this host, and closes the client: calls in flight fail as
// closed. When it returns, nothing of the client is left but the wait for the end of a child of
// this process. A log that the plugin writes to this host's pipe goes nowhere from then on; a
// plugin of another library may even be ended by SIGPIPE when it logs.
//
// A plugin of this library also needs plugin.Config.Outlive, and leaves otherwise. A plugin that was
// launched without Command.Outlive would end with this process, so Detach refuses it. The runner must be a [runner.Attacher]. Detach may be called again, and after the plugin's
// end.
func (c *Client) Detach() error {
	if c.bound && !c.process.hasEnded() {
		return fmt.Errorf("%s: detach: it is to end with this host: set Config.Command.Outlive", called(c.name))
	}
	return c.process.detach()
}

// detach lets the process go, and waits until nothing is left here.
func (p *process) detach() error {
	run, ok := p.runner.(interface{ Detach() })
	if !ok && !p.hasEnded() {
		return fmt.Errorf("%s: detach: its runner, a %T, is no runner.Attacher", called(p.name), p.runner)
	}
	p.expect(causeDetached)
	p.mu.Lock()
	detaching := !p.detached && !p.hasEnded()
	p.detached = p.detached || detaching
	p.mu.Unlock()
	if detaching {
		p.logger.Debug("the host detaches from the plugin", "process", p.runner.ID())
		run.Detach()
		p.unwatch()
	}
	<-p.done
	return nil
}

func (p *process) isDetached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.detached
}
