package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/logline"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// process is a running plugin with its resources. It reads the outputs. When
// the plugin has ended, it closes the session and removes the directory.
type process struct {
	name     string
	outputs  Outputs
	timeouts Timeouts
	logger   *slog.Logger
	runner   runner.Runner
	sockets  *sockets
	program  *verify.Approved // the program that runs; nil without a verifier
	stdout   *stdout
	tail     logline.Tail

	ended chan struct{} // closed when the process is gone and its output read
	done  chan struct{} // closed when nothing is left
	exit  runner.Exit   // after ended
	began time.Time
	lived time.Duration // after ended

	watching context.Context // ends with detach
	unwatch  context.CancelFunc

	mu       sync.Mutex
	session  core.Session
	cause    string // of an end that the host asked for; empty without
	detached bool   // the host let the plugin go
}

// watch monitors a newly started process until its end.
func watch(run runner.Runner, sockets *sockets, program *verify.Approved, cfg Config) *process {
	p := &process{
		name:     cfg.Name,
		outputs:  cfg.Outputs,
		timeouts: cfg.Timeouts,
		runner:   run,
		sockets:  sockets,
		program:  program,
		ended:    make(chan struct{}),
		done:     make(chan struct{}),
		began:    time.Now(),
	}
	p.logger = loggerOf(cfg, p.isChild())
	p.watching, p.unwatch = context.WithCancel(context.Background())
	p.stdout = newStdout(run.Stdout(), cfg.Outputs.MaxNoise, p.logger)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		p.log()
	}()
	go func() {
		p.stdout.run()
		p.reap(logged)
	}()
	return p
}

// log turns the plugin's stderr into records.
func (p *process) log() {
	stderr := p.runner.Stderr()
	err := logline.Pump(stderr, logline.Config{
		Logger:     p.logger,
		MaxLine:    p.outputs.MaxLogLine,
		PlainLevel: p.outputs.PlainLevel,
		Raw:        p.outputs.RawLog,
		Tail:       &p.tail,
	})
	if err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
		p.logger.Warn("the plugin's log cannot be read to its end", "error", err)
	}
	_ = stderr.Close()
}

// own takes over the session, to close it with the process. It returns false if
// the process has ended already; the session is closed then.
func (p *process) own(session core.Session) bool {
	p.mu.Lock()
	select {
	case <-p.ended:
		p.mu.Unlock()
		_ = session.Close()
		return false
	default:
	}
	p.session = session
	p.mu.Unlock()
	return true
}

// expect notes that the host asks for the end, and the cause for the record. An earlier end stays
// an unexpected one: closing a crashed plugin does not hide the crash.
func (p *process) expect(cause string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
	default:
		p.cause = cause
	}
}

// asked reports whether the host asked for the end, before it came.
func (p *process) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause != ""
}

// reap waits for the end of the process and cleans up after it.
func (p *process) reap(logged <-chan struct{}) {
	defer p.unwatch()
	exit, err := p.runner.Wait(p.watching)
	p.lived = time.Since(p.began)
	detached := p.isDetached()
	if err != nil && !detached {
		p.logger.Warn("it is not known how the plugin ended", "error", err)
		exit = runner.Exit{Code: runner.ExitUnknown}
	}
	p.awaitQuietly(logged, "the log")
	_ = p.runner.Stdout().Close()
	p.exit = exit
	close(p.ended)
	if detached {
		p.sockets.leave()
	} else {
		p.sockets.remove()
	}
	p.program.Release()

	p.mu.Lock()
	session := p.session
	p.session = nil
	cause := p.cause
	p.mu.Unlock()
	if session != nil {
		if !detached {
			p.drain(session)
		}
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = session.Close()
		}()
		p.awaitQuietly(closed, "a sink for its output")
	}
	if session == nil { // it was not launched: the launch's error tells
		cause = causeFailedLaunch
	}
	if !detached {
		p.report(context.Background(), cause)
	}
	close(p.done)
}

// drain lets the session read everything sent by the process before its end:
// answers, and its last prints. If a descendant still holds the connection, it
// waits for the grace time at most.
func (p *process) drain(session core.Session) {
	grace := time.NewTimer(max(p.timeouts.ExitGrace, 0))
	defer grace.Stop()
	select {
	case <-session.Done():
	case <-grace.C:
	}
}

// awaitQuietly waits until the rest of the output is taken, unless the taker (a
// writer or a log handler of the caller) blocks: that must not hide the end of
// the process. The rest then ends when the taker returns.
func (p *process) awaitQuietly(taken <-chan struct{}, taker string) {
	limit := p.timeouts.ExitGrace
	if limit < 0 {
		limit = p.timeouts.Kill
	}
	grace := time.NewTimer(limit)
	defer grace.Stop()
	select {
	case <-taken:
	case <-grace.C:
		// The blocking taker may be the logger.
		go p.logger.Warn("the plugin's last output is not taken", "by", taker)
	}
}

// kill forces the end, and waits until nothing is left or ctx ends.
func (p *process) kill(ctx context.Context) error {
	p.expect(causeKilled)
	if err := p.runner.Kill(ctx); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of %s: %w", called(p.name), context.Cause(ctx))
	}
}

// abort ends the process of a failed launch. If the process ended by itself,
// abort returns that end; if it seems to be ending, abort waits a moment for
// it.
func (p *process) abort(ctx context.Context, ending bool) *core.ExitError {
	p.expect(causeFailedLaunch)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.timeouts.Kill)
	defer cancel()
	alone := p.endsAlone(ctx, ending)
	if err := p.kill(ctx); err != nil {
		p.logger.WarnContext(ctx, "the plugin whose launch failed cannot be ended", "error", err)
		return nil
	}
	if !alone {
		return nil
	}
	return p.exitError()
}

// endsAlone reports whether the process has ended. If it seems to be ending it
// gets some time: the end of its output comes before its status.
func (p *process) endsAlone(ctx context.Context, ending bool) bool {
	var limit time.Duration
	if ending {
		limit = max(p.timeouts.ExitGrace, 0)
	}
	grace := time.NewTimer(limit)
	defer grace.Stop()
	select {
	case <-p.ended:
		return true
	case <-grace.C:
	case <-ctx.Done():
	}
	select {
	case <-p.ended: // with a limit of 0 both may be there
		return true
	default:
		return false
	}
}

// err returns the unexpected end of the process.
func (p *process) err() error {
	select {
	case <-p.ended:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != "" {
		return nil
	}
	return p.exitError()
}

// exitError describes the end. It is called after ended.
func (p *process) exitError() *core.ExitError {
	return &core.ExitError{
		Plugin: p.name,
		Code:   p.exit.Code,
		Status: p.exit.String(),
		Stderr: p.tail.Lines(),
	}
}

// explain joins the end of the process to an error possibly caused by it.
func (p *process) explain(ctx context.Context, err error) error {
	if p.timeouts.ExitGrace < 0 {
		return err
	}
	grace := time.NewTimer(p.timeouts.ExitGrace)
	defer grace.Stop()
	select {
	case <-p.ended:
		if cause := p.err(); cause != nil {
			return fmt.Errorf("%w: %w", err, cause)
		}
		if p.isDetached() {
			return fmt.Errorf("%w: the host has detached from the plugin", core.ErrClosed)
		}
		return fmt.Errorf("%w: the host has ended the plugin", core.ErrClosed)
	case <-grace.C:
	case <-ctx.Done():
	}
	return err
}
