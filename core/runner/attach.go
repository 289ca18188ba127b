package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/pipe"
)

// watchInterval is the interval of looks at a process whose end the system does not report.
const watchInterval = 100 * time.Millisecond

// Attach takes the place of Start for a process that runs already: another program started it, or
// this one before it replaced itself. id is its PID in decimal, and started the text of
// [Process.Started] there. With an empty started the process with that PID is taken.
//
// An ended process is an [os.ErrProcessDone], also if another has its PID by now. The process's
// output stays where it is: Stdout and Stderr are at their end. Its exit status is known only if it
// is a child of this process from before an exec(3); otherwise it is [ExitUnknown]. Linux, macOS
// and Windows can attach; elsewhere it is an [errors.ErrUnsupported].
func (p *Process) Attach(ctx context.Context, id, started string) error {
	if !p.starting.CompareAndSwap(false, true) {
		return ErrAlreadyStarted
	}
	defer p.starting.Store(false)
	switch {
	case p.run.Load() != nil:
		return ErrAlreadyStarted
	case ctx.Err() != nil:
		return contextError(ctx)
	}
	pid, err := strconv.Atoi(id)
	if err != nil || pid <= 0 {
		return fmt.Errorf("runner: attach to the process %q: it is not a process ID", id)
	}
	process, err := take(pid)
	if err != nil {
		return fmt.Errorf("runner: attach to the process %d: %w", pid, err)
	}
	if started != "" && process.started != started {
		process.release()
		return fmt.Errorf("runner: attach to the process %d: it has ended, and another has its number: %w", pid, os.ErrProcessDone)
	}
	run := &running{system: process, pid: pid, done: make(chan struct{})}
	if run.stdout, err = atEnd(); err == nil {
		run.stderr, err = atEnd()
	}
	if err != nil {
		process.release()
		return err
	}
	p.run.Store(run)
	go run.reap()
	return nil
}

// Started identifies the start of the process, in a form of the platform: of two processes with one
// PID, on this machine and at any time, each has another text. It is for Attach. Empty: the process
// does not run, or the platform does not tell.
func (p *Process) Started() string {
	run := p.run.Load()
	if run == nil {
		return ""
	}
	started, err := startOf(run.pid)
	if err != nil || run.ended() || run.system.alive() != nil { // the number may be another's
		return ""
	}
	return started
}

// Detach lets the process go, which is then another program's: the Process is as before Start. Its
// outputs are closed, so that later writes of the process fail. A child that ends is still
// collected, by a goroutine that waits for it; its [Command.Group] is left alone then. Calls of Wait under way end with their contexts.
func (p *Process) Detach() {
	run := p.run.Swap(nil)
	if run == nil {
		return
	}
	_ = run.stdout.Close()
	_ = run.stderr.Close()
	if run.stdin != nil {
		run.stdin.stop()
	}
	run.system.release()
}

// atEnd returns an output without content.
func atEnd() (*pipe.Reader, error) {
	r, w, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	w.Close()
	return pipe.NewReader(r, 0), nil
}

// system is a process in the system's hands.
type system interface {
	// wait waits for the end; ended is false after release.
	wait() (exit Exit, ended bool)
	// signal sends a signal; after the end it is [os.ErrProcessDone].
	signal(sig os.Signal) error
	// alive returns an error after the end.
	alive() error
	// release ends the wait for a process that is not a child.
	release()
}

// child is a process that this program started, with its family.
type child struct {
	cmd    *exec.Cmd
	family *family
}

func (c child) wait() (exit Exit, ended bool) {
	// The error repeats the state; without a state another part of the program
	// collected the process.
	c.family.bury(func() { _ = c.cmd.Wait() })
	return exitOf(c.cmd.ProcessState), true
}

func (c child) signal(sig os.Signal) error { return c.family.signal(sig) }
func (c child) alive() error               { return alive(c.cmd.Process) }
func (c child) release()                   { c.family.release() }

// taken is a process that this program did not start. Its handle stays with the process, whatever
// becomes of its number.
type taken struct {
	*handle

	started string
	stop    chan struct{} // closed by release
	once    sync.Once
}

func take(pid int) (*taken, error) {
	h, started, err := openHandle(pid)
	if err != nil {
		return nil, err
	}
	return &taken{handle: h, started: started, stop: make(chan struct{})}, nil
}

func (t *taken) wait() (exit Exit, ended bool) {
	defer t.release()
	for {
		if exit, ended := t.end(); ended {
			return exit, true
		}
		if !t.pause(t.stop) {
			return Exit{}, false
		}
	}
}

func (t *taken) signal(sig os.Signal) error {
	err := t.handle.signal(sig)
	select {
	case <-t.stop: // the end was noticed, and close called
		if err != nil {
			return os.ErrProcessDone
		}
	default:
	}
	return err
}

func (t *taken) release() {
	t.once.Do(func() {
		close(t.stop)
		t.close()
	})
}

// pauseFor waits for d, or until stop is closed: then it returns false.
func pauseFor(d time.Duration, stop <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	}
}
