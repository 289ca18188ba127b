package host

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/logline"
	"github.com/jackfield-go/jackfield/core/runner"
)

// process is a running plugin and all that belongs to it: it reads its outputs,
// and when it has ended, closes its session and removes its directory.
type process struct {
	cfg     Config
	logger  *slog.Logger
	runner  runner.Runner
	sockets *sockets
	copy    *programCopy // what runs, if it was verified; otherwise nil
	stdout  *stdout
	tail    logline.Tail

	ended chan struct{} // closed when the process is gone and its output read
	done  chan struct{} // closed when nothing is left
	exit  runner.Exit   // after ended

	mu       sync.Mutex
	session  core.Session
	expected bool // the host asked for the end
}

// watch looks after a process that has just been started, until its end.
func watch(run runner.Runner, sockets *sockets, program *programCopy, cfg Config) *process {
	p := &process{
		cfg:     cfg,
		logger:  cfg.Logger.With("plugin", cfg.Name),
		runner:  run,
		sockets: sockets,
		copy:    program,
		ended:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	p.stdout = newStdout(run.Stdout(), cfg, p.logger)
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
		Logger:  p.logger,
		MaxLine: p.cfg.Outputs.MaxLogLine,
		Raw:     p.cfg.Outputs.RawLog,
		Tail:    &p.tail,
	})
	if err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
		p.logger.Warn("the plugin's log cannot be read to its end", "error", err)
	}
	_ = stderr.Close()
}

// own hands the session over, to be closed with the process. It returns false if
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

// expect notes that the host asks for the end. An end that has come before stays
// an unexpected one: what closes a crashed plugin does not hide the crash.
func (p *process) expect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
	default:
		p.expected = true
	}
}

// asked reports whether the host asked for the end, before it came.
func (p *process) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.expected
}
