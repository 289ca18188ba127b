package host

import (
	"context"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/runner"
)

// reap waits for the end of the process and clears up after it.
func (p *process) reap(logged <-chan struct{}) {
	exit, err := p.runner.Wait(context.Background())
	if err != nil {
		p.logger.Warn("it is not known how the plugin ended", "error", err)
		exit = runner.Exit{Code: runner.ExitUnknown}
	}
	p.awaitQuietly(logged, "the log")
	_ = p.runner.Stdout().Close()
	p.exit = exit
	close(p.ended)
	p.sockets.remove()
	if p.copy != nil {
		p.copy.release()
	}

	p.mu.Lock()
	session := p.session
	p.session = nil
	expected := p.expected
	p.mu.Unlock()
	if session != nil {
		p.drain(session)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_ = session.Close()
		}()
		p.awaitQuietly(closed, "a sink for its output")
	}
	// A process without a session was not launched: the launch's error tells.
	p.report(expected || session == nil)
	close(p.done)
}

// drain lets the session take what the process had sent before its end: answers,
// and the last that it printed. A descendant that still holds the connection
// keeps it waiting for the grace time at most.
func (p *process) drain(session core.Session) {
	grace := time.NewTimer(max(p.cfg.Timeouts.ExitGrace, 0))
	defer grace.Stop()
	select {
	case <-session.Done():
	case <-grace.C:
	}
}

// awaitQuietly waits for the rest of the output to be taken, unless whoever takes
// it (a writer or a log handler of the caller's) blocks: that must not hide the
// end of the process. What is left then ends when the taker lets go.
func (p *process) awaitQuietly(taken <-chan struct{}, taker string) {
	patience := p.cfg.Timeouts.ExitGrace
	if patience < 0 {
		patience = p.cfg.Timeouts.Kill
	}
	grace := time.NewTimer(patience)
	defer grace.Stop()
	select {
	case <-taken:
	case <-grace.C:
		// It may be the logger that blocks.
		go p.logger.Warn("the plugin's last output is not taken", "by", taker)
	}
}

// report logs the end: an unexpected one is an error.
func (p *process) report(expected bool) {
	if expected {
		p.logger.Debug("the plugin has ended", "status", p.exit.String())
		return
	}
	p.logger.Error("the plugin has ended unexpectedly", "status", p.exit.String())
}
