package plugin

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/lifeline"
)

// orphanTime is how long a plugin may take to leave once its host has ended. It covers main's code
// after Serve too.
const orphanTime = 2 * time.Second

// watchHost begins to wait for the end of the host, if the plugin is to leave with it. The returned
// function ends the wait.
func (r *run) watchHost(ctx context.Context) (stop func()) {
	r.orphaned = make(chan struct{})
	if r.asked.Lifeline == "" || r.cfg.Outlive && r.asked.Outlive {
		return func() {}
	}
	line, err := lifeline.Take(r.asked.Lifeline, r.asked.SocketDir)
	if err != nil {
		// As under a wrapper or a host of another library that hands on the variable alone.
		r.cfg.Logger.DebugContext(ctx, "the plugin will not notice the end of its host", "error", err)
		return func() {}
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.awaitEnd(ctx, line)
	}()
	return func() {
		if line.Close() {
			<-watched
		}
	}
}

// awaitEnd waits for the end of the host, and makes the plugin leave.
func (r *run) awaitEnd(ctx context.Context, line *lifeline.Line) {
	err := line.Wait()
	switch {
	case errors.Is(err, lifeline.ErrClosed):
		return
	case err != nil:
		r.cfg.Logger.WarnContext(ctx, "the plugin will not notice the end of its host", "error", err)
		return
	}
	if r.env.Orphaned != nil {
		r.env.Orphaned()
	}
	r.cfg.Logger.DebugContext(ctx, "the host has ended, and the plugin leaves")
	close(r.orphaned)
}

// isOrphan reports whether the host has ended.
func (r *run) isOrphan() bool {
	select {
	case <-r.orphaned:
		return true
	default:
		return false
	}
}

// orphan is this process after the end of its host.
type orphan struct {
	output *output
	is     atomic.Bool
}

// begin makes further output go nowhere, and limits the life of this process and its group.
func (o *orphan) begin() {
	o.is.Store(true)
	o.output.discard()
	time.AfterFunc(orphanTime, endFamily)
}

// leave ends the rest of the group before main goes on.
func (o *orphan) leave() {
	if o.is.Load() {
		leaveFamily()
	}
}

// discard makes the output go nowhere. The descriptors stay open, and nobody who writes to them
// waits or gets SIGPIPE: neither this process nor a child, whether it runs already or a shutdown
// function starts it.
func (o *output) discard() {
	go func() { _, _ = io.Copy(io.Discard, o.stdout.source) }()
	go func() { _, _ = io.Copy(io.Discard, o.stderr.source) }()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer func() { _ = nowhere.Close() }()
	o.abandon(nowhere)
}
