package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/runner"
)

// Errors of [Client.WithTerminal].
var (
	// ErrNoTerminal says that there is no terminal to lend: this process has none, as in a
	// service or a pipeline of a CI, or the plugin cannot have it, as in a session of its
	// own, after [Attach], behind a custom runner, or on a platform without support.
	ErrNoTerminal = errors.New("no terminal")
	// ErrTerminalInUse says that this process does not have the terminal now: it runs in
	// the background, or it has lent the terminal already.
	ErrTerminalInUse = errors.New("the terminal is in use")
)

// WithTerminal lends the terminal of this process to the plugin, calls f, and takes it back when f
// has ended, by returning, by a panic, or by runtime.Goexit, or when the plugin has ended. f calls
// the plugin, and the plugin opens the terminal by its name: /dev/tty, on Windows CONIN$ and
// CONOUT$. So it can ask for a password or run an editor, whatever its standard input is.
//
// A plugin in a process group of its own becomes the terminal's foreground group meanwhile: Ctrl-C
// reaches the plugin and its children, and not the host. At Ctrl-Z the host takes the terminal back
// and stops with its own group, for its shell, and lends the terminal again when it is continued
// (Linux, macOS). The host must not read from the terminal meanwhile: the system would stop it. A
// plugin in the host's group has the terminal anyway, and Ctrl-C and Ctrl-Z reach both.
//
// In either case the terminal has afterwards the modes from before, such as echo. On Windows this
// is all: there a console belongs to all its processes.
//
// The context of f is derived from ctx, and ends with the plugin. The terminal is lent to one plugin
// at a time; an application takes turns. The error is f's, or wraps [ErrNoTerminal] or
// [ErrTerminalInUse] without a call of f, or is the system's. For a plugin that has ended it is the
// error of a call.
func (c *Client) WithTerminal(ctx context.Context, f func(ctx context.Context) error) (err error) {
	if !c.lending.CompareAndSwap(false, true) {
		return fmt.Errorf("%s: lend the terminal: %w: the plugin has it already", called(c.name), ErrTerminalInUse)
	}
	defer c.lending.Store(false)
	if c.process.hasEnded() {
		return fmt.Errorf("%s: lend the terminal: %w", called(c.name), c.process.explain(ctx, core.ErrConnectionLost))
	}
	if c.attached {
		return fmt.Errorf("%s: lend the terminal: %w for a plugin that another process has launched", called(c.name), ErrNoTerminal)
	}
	t, err := c.process.lendTerminal()
	if errors.Is(err, os.ErrProcessDone) {
		err = c.process.explain(ctx, core.ErrConnectionLost)
	}
	if err != nil {
		return fmt.Errorf("%s: lend the terminal: %w", called(c.name), err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done, back := make(chan struct{}), make(chan error, 1)
	go func() {
		failure := t.attend(c.process, done)
		if c.process.hasEnded() {
			cancel(c.process.explain(ctx, core.ErrConnectionLost))
		}
		back <- failure
	}()
	defer func() {
		close(done)
		if failure := <-back; failure != nil {
			err = errors.Join(err, fmt.Errorf("%s: take the terminal back: %w", called(c.name), failure))
		}
		cancel(nil)
	}()
	return f(ctx)
}

// processID returns the ID of a plugin that is a child of this process.
func (p *process) processID() (int, error) {
	if _, ok := p.runner.(*runner.Process); !ok {
		return 0, core.WithHint(fmt.Errorf("%w for a plugin that is no child process", ErrNoTerminal), "Config.Runner has made a runner of its own")
	}
	return strconv.Atoi(p.runner.ID())
}
