package host

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core"
)

// Client is a running plugin. It is safe for use by many goroutines. Whoever
// launched it ends it: with Close, Stop or Kill.
type Client struct {
	name     string
	timeouts Timeouts
	process  *process
	session  core.Session
	version  int
	protocol core.Protocol

	killed   atomic.Bool // Kill was called
	stopping sync.Once
	hurry    context.CancelCauseFunc // after stopping: ends the patience
	stopped  chan struct{}           // closed when nothing is left
	stopErr  error                   // after stopped
}

func newClient(cfg Config, p *process, session core.Session, version int, protocol core.Protocol) *Client {
	return &Client{
		name:     cfg.Name,
		timeouts: cfg.Timeouts,
		process:  p,
		session:  session,
		version:  version,
		protocol: protocol,
		stopped:  make(chan struct{}),
	}
}

// Dispense is the function [Dispense] for a host that learns names at run time and
// needs no type: it makes a client of the plugin called name, of the type that the
// negotiated version declares. A name that does not exist is a
// *[core.UnknownPluginError].
func (c *Client) Dispense(ctx context.Context, name string) (any, error) {
	made, err := c.session.Dispense(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%s: dispense: %w", called(c.name), err)
	}
	return made, nil
}

// Dispense makes a client of the plugin p, each time a new one. It is of the type
// that the declaration of p says, since the transport that carries p makes no
// other. A plugin that does not exist is a *[core.UnknownPluginError].
//
// Versions may declare plugins of one name with different types. A p that is not
// of the negotiated version is a *[core.TypeError], unless the client fits all the
// same; [Client.NegotiatedVersion] says which to dispense.
func Dispense[S, C any](ctx context.Context, c *Client, p core.Plugin[S, C]) (C, error) {
	made, err := c.Dispense(ctx, p.Name())
	if err != nil {
		var none C
		return none, err
	}
	typed, ok := made.(C)
	if !ok {
		return typed, fmt.Errorf("%s: dispense under version %d: %w", called(c.name), c.version,
			&core.TypeError{Name: p.Name(), Got: reflect.TypeOf(made), Want: reflect.TypeFor[C]()})
	}
	return typed, nil
}

// Ping asks the plugin for a sign of life, and waits for it until ctx ends.
func (c *Client) Ping(ctx context.Context) error {
	if err := c.session.Ping(ctx); err != nil {
		return fmt.Errorf("%s: ping: %w", called(c.name), err)
	}
	return nil
}

// Done is closed when the plugin's process has ended, however, and all that
// belonged to it is gone: connections, goroutines, files.
func (c *Client) Done() <-chan struct{} { return c.process.done }

// Err says why the plugin ended, a *[core.ExitError]; nil while it runs, and if
// the host asked for the end.
func (c *Client) Err() error { return c.process.err() }

// NegotiatedVersion returns the application version that the host and the
// plugin agreed on.
func (c *Client) NegotiatedVersion() int { return c.version }

// Protocol returns the protocol that the plugin chose.
func (c *Client) Protocol() core.Protocol { return c.protocol }

// Name returns the plugin's name for errors and logs.
func (c *Client) Name() string { return c.name }

// ID returns what the runner calls this run: for a process, its number.
func (c *Client) ID() string { return c.process.runner.ID() }

// Close ends the plugin: it is asked to leave, given Config.Timeouts.Stop for it,
// and killed if it has not left then, which is a *[StopError]. One that cannot be
// asked gets SIGTERM in place of that, where the platform has it: since the connection
// was lost, which is a *[StopError] too, or as some in other languages. One that leaves
// with another status than 0 is a *[core.ExitError]; an unknown status, in a host that
// reaps all children itself, is no error. When Close returns nothing is left of the
// plugin, but what one of the configuration's writers or its reader blocks. It may be
// called again, and after a crash.
func (c *Client) Close() error { return c.Stop(context.Background()) }

// Stop is Close with a context, whose end shortens the time that the plugin has
// to leave: it is killed then. Of several at once the most impatient one decides,
// and all return the same.
func (c *Client) Stop(ctx context.Context) error {
	c.stopping.Do(func() {
		var patience context.Context
		patience, c.hurry = context.WithCancelCause(context.WithoutCancel(ctx))
		go func() {
			defer close(c.stopped)
			defer c.hurry(nil)
			c.stopErr = c.stop(patience)
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

// Kill ends the plugin's process at once, without a word to it. When it returns
// nil, nothing is left of the plugin; otherwise ctx ended before.
func (c *Client) Kill(ctx context.Context) error {
	c.killed.Store(true)
	return c.process.kill(ctx)
}
