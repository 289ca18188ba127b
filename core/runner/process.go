package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/jackfield-go/jackfield/core/internal/pipe"
)

// A Process is a plugin as a child process of this one, or by [Process.Attach] another
// process of this machine. [NewProcess] makes it, and it runs once; a failed Start may be
// repeated.
type Process struct {
	Local

	command  Command
	starting atomic.Bool
	failure  atomic.Pointer[StartError] // of the last Start
	run      atomic.Pointer[running]    // nil until Start has succeeded
}

var _ Attacher = (*Process)(nil)

// running is a started process.
type running struct {
	system         system
	pid            int
	stdout, stderr *pipe.Reader
	stdin          *input // nil without a reader to copy from
	done           chan struct{}
	exit           Exit // valid once done is closed
}

// NewProcess returns a plugin as a child process. It copies the command, and looks at
// nothing before Start.
func NewProcess(cmd Command) *Process {
	return &Process{command: cmd.clone()}
}

// Start starts the process; see [Runner]. The end of ctx does not interrupt calls
// into the system. A file can be "busy" only because another goroutine is about to
// start something; Start tries again a few times.
func (p *Process) Start(ctx context.Context) error {
	if !p.starting.CompareAndSwap(false, true) {
		return ErrAlreadyStarted
	}
	defer p.starting.Store(false)
	if p.run.Load() != nil {
		return ErrAlreadyStarted
	}
	run, err := startOwned(ctx, p.command)
	if err != nil {
		failure := &StartError{Path: p.command.Path, Err: err}
		if ctx.Err() == nil {
			failure.Reason = p.command.diagnosed().Start(err)
		}
		p.failure.Store(failure)
		return failure
	}
	p.failure.Store(nil)
	p.run.Store(run)
	return nil
}

// Stdout is the standard output; see [Runner]. Before a successful Start every
// Read of it is [ErrNotStarted].
func (p *Process) Stdout() io.ReadCloser {
	if run := p.run.Load(); run != nil {
		return run.stdout
	}
	return unstarted{}
}

// Stderr is the standard error; see [Runner]. Before a successful Start every
// Read of it is [ErrNotStarted].
func (p *Process) Stderr() io.ReadCloser {
	if run := p.run.Load(); run != nil {
		return run.stderr
	}
	return unstarted{}
}

// Wait waits for the end; see [Runner].
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	run := p.run.Load()
	if run == nil {
		return Exit{}, ErrNotStarted
	}
	if err := run.wait(ctx); err != nil {
		return Exit{}, fmt.Errorf("runner: waiting for %s (pid %s): %w", p.Name(), p.ID(), err)
	}
	return run.exit, nil
}

// Kill forces the end; see [Runner]. Of the plugin's own child processes only those in its
// [Command.Group] end too.
func (p *Process) Kill(ctx context.Context) error {
	run := p.run.Load()
	if run == nil {
		return nil
	}
	// The system may refuse a process that has just ended (Windows) or not know it
	// (Unix): the refusal is an error only while the process is still there.
	if err := run.system.signal(os.Kill); err != nil && !errors.Is(err, os.ErrProcessDone) && !run.ended() {
		return fmt.Errorf("runner: killing %s (pid %s): %w", p.Name(), p.ID(), err)
	}
	if err := run.wait(ctx); err != nil {
		return fmt.Errorf("runner: waiting for the end of %s (pid %s) after killing it: %w", p.Name(), p.ID(), err)
	}
	return nil
}

// Terminate asks the process, or its [Command.Group], with SIGTERM to leave, and does not wait
// for that. A platform without such a signal makes it an error, as Windows does, and so does a
// process that has ended or never ran ([os.ErrProcessDone], [ErrNotStarted]).
func (p *Process) Terminate() error {
	run := p.run.Load()
	if run == nil {
		return ErrNotStarted
	}
	if err := run.system.signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("runner: send SIGTERM to %s (pid %s): %w", p.Name(), p.ID(), err)
	}
	return nil
}

// Name is the last element of the command's path.
func (p *Process) Name() string { return filepath.Base(p.command.Path) }

// ID is the process ID, or empty before a successful Start.
func (p *Process) ID() string {
	if run := p.run.Load(); run != nil {
		return strconv.Itoa(run.pid)
	}
	return ""
}

// Diagnose says why the process could not start, or why it ended without reaching its
// own code (a shared library, a script whose interpreter is not in PATH); see
// [Runner].
func (p *Process) Diagnose(ctx context.Context) string {
	if ctx.Err() != nil {
		return ""
	}
	if run := p.run.Load(); run != nil {
		if !run.ended() {
			return ""
		}
		return p.command.diagnosed().Exit(run.exit.Code, run.exit.Signal != nil)
	}
	if failure := p.failure.Load(); failure != nil {
		return failure.Reason
	}
	return ""
}

// reap collects the process and ends everything that belongs to it.
func (r *running) reap() {
	exit, ended := r.system.wait()
	if !ended {
		return // detached
	}
	r.exit = exit
	if r.stdin != nil {
		r.stdin.stop()
	}
	r.stdout.Finish()
	r.stderr.Finish()
	close(r.done)
}

func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// wait prefers the end of the process to the end of the context.
func (r *running) wait(ctx context.Context) error {
	if r.ended() {
		return nil
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return contextError(ctx)
	}
}

// unstarted stands for the output of a process before its start.
type unstarted struct{}

func (unstarted) Read([]byte) (int, error) { return 0, ErrNotStarted }
func (unstarted) Close() error             { return nil }
