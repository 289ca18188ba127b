package host_test

import (
	"context"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// watchedRun is a process of which a test knows when it was started.
type watchedRun struct {
	runner.Runner

	started chan struct{} // closed
}

// watched makes a configuration's one launch known to the test.
func watched(cfg *host.Config) *watchedRun {
	w := &watchedRun{started: make(chan struct{})}
	*cfg = withRunner(*cfg, func(cmd runner.Command) runner.Runner {
		w.Runner = runner.NewProcess(cmd)
		return w
	})
	return w
}

func (w *watchedRun) Start(ctx context.Context) error {
	err := w.Runner.Start(ctx)
	if err == nil {
		close(w.started)
	}
	return err
}
