package host

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// Client is a running plugin. It is safe for use by many goroutines. The owner
// of the client ends it, with Close, Stop or Kill.
type Client struct {
	name     string
	timeouts Timeouts
	process  *process
	session  core.Session
	info     Info
	line     handshake.Line
	identity *tlsutil.Identity // of the host; nil without AutoMTLS
	test     bool              // the plugin is in test mode: this host does not end it
	attached bool              // another process has launched the plugin
	bound    bool              // the plugin is to end with this process

	killed     atomic.Bool // Kill was called
	terminated atomic.Bool // SIGTERM was sent
	lending    atomic.Bool // the plugin has the terminal
	stopping   sync.Once
	hurry      context.CancelCauseFunc // after stopping: ends the wait
	stopped    chan struct{}           // closed when nothing is left
	stopErr    error                   // after stopped
}

// Dispense is the function [Dispense] for names known only at run time: it makes a client of the
// plugin called name, of the type declared by the negotiated version. An unknown name is a
// *[core.UnknownPluginError].
func (c *Client) Dispense(ctx context.Context, name string) (any, error) {
	made, err := c.session.Dispense(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: dispense: %w", called(c.name), err)
	}
	return made, nil
}

// Dispense makes a new client of the plugin p at each call. Its type is that of p's declaration,
// since a transport that carries p makes no other. An unknown plugin is a
// *[core.UnknownPluginError].
//
// Versions may declare plugins of one name with different types. If p is not of the negotiated
// version, the error is a *[core.TypeError], unless the client fits p too.
// [Client.NegotiatedVersion] tells the plugin to dispense.
func Dispense[S, C any](ctx context.Context, c *Client, p core.Plugin[S, C]) (C, error) {
	made, err := c.Dispense(ctx, p.Name())
	if err != nil {
		var none C
		return none, err
	}
	typed, ok := made.(C)
	if !ok {
		return typed, fmt.Errorf("%s: dispense under version %d: %w", called(c.name), c.info.AppVersion,
			&core.TypeError{Name: p.Name(), Got: reflect.TypeOf(made), Want: reflect.TypeFor[C]()})
	}
	return typed, nil
}

// Ping asks the plugin for an answer, and waits for it until ctx ends.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.session.Ping(ctx); err != nil {
		return fmt.Errorf("%s: ping: %w", called(c.name), err)
	}
	return nil
}

// Done is closed when the plugin's process has ended in any way, and nothing of
// it is left: connections, goroutines, files.
func (c *Client) Done() <-chan struct{} { return c.process.done }

// Err returns the plugin's end, a *[core.ExitError]; nil while the plugin runs,
// and if the host asked for the end.
func (c *Client) Err() error { return c.process.err() }

// NegotiatedVersion returns the application version agreed on by the host and
// the plugin.
func (c *Client) NegotiatedVersion() int { return c.info.AppVersion }

// Protocol returns the protocol chosen by the plugin.
func (c *Client) Protocol() core.Protocol { return c.info.Protocol }

// Name returns the plugin's name for errors and logs.
func (c *Client) Name() string { return c.name }

// ID returns the runner's ID of this run: for a process, its PID.
func (c *Client) ID() string { return c.process.runner.ID() }

// Close ends the plugin by the steps of [Timeouts]: it asks the plugin to leave, sends SIGTERM where
// the platform has it, and kills. A plugin that needed more than the first step is a *[StopError].
// Some plugins cannot be asked, and get SIGTERM at once: some in other languages, or after a lost
// connection, which is a *[StopError] too. A plugin that leaves with a status other than 0 is a
// *[core.ExitError]; an unknown status, in a host that reaps all children itself, is no error. When
// Close returns nothing is left of the plugin, except for a blocking writer or reader of the
// configuration. Close may be called again, and after a crash. A plugin in test mode is left alone:
// Close is Detach then.
func (c *Client) Close() error { return c.Stop(context.Background()) }

// Stop is Close with a context. Its end shortens the plugin's time to leave:
// the plugin is killed then, with no further step before. With concurrent calls the earliest deadline wins;
// all return the same error.
func (c *Client) Stop(ctx context.Context) error {
	c.stopping.Do(func() {
		var leaving context.Context
		leaving, c.hurry = context.WithCancelCause(context.WithoutCancel(ctx))
		go func() {
			defer close(c.stopped)
			defer c.hurry(nil)
			c.stopErr = c.stop(leaving)
		}()
	})
	select {
	case <-c.stopped:
		return c.stopErr
	case <-ctx.Done():
		c.hurry(context.Cause(ctx))
	}
	<-c.stopped // bounded by Config.Timeouts.Kill
	return c.stopErr
}

// Kill ends the plugin's process, or its Command.Group, at once, without asking it. A Close or Stop
// under way ends with it. If Kill returns nil, nothing is left of the plugin; otherwise ctx ended
// before. A plugin in test mode is left alone: Kill is Detach then.
func (c *Client) Kill(ctx context.Context) error {
	if c.test {
		return c.process.detach()
	}
	c.killed.Store(true)
	return c.process.kill(ctx)
}
