package supervise

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// Group is the supervisors of several plugins.
type Group []*Supervisor

// StartAll starts plugins, at most limit at a time; 0 means one for each CPU that Go uses. The group
// has the order of the configurations, and nil for each plugin that failed to start. The error joins
// their errors; the others run, and the caller decides whether to close them.
func StartAll(ctx context.Context, limit int, configs ...Config) (Group, error) {
	if limit <= 0 {
		limit = runtime.GOMAXPROCS(0)
	}
	group, errs := make(Group, len(configs)), make([]error, len(configs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(limit, len(configs)) {
		workers.Go(func() {
			for i := range next {
				group[i], errs[i] = Start(ctx, configs[i])
			}
		})
	}
	for i := range configs {
		next <- i
	}
	close(next)
	workers.Wait()
	return group, errors.Join(errs...)
}

// Close closes all supervisors at the same time. It returns their errors, joined.
func (g Group) Close() error { return g.Stop(context.Background()) }

// Stop is Close with a context, as [Supervisor.Stop].
func (g Group) Stop(ctx context.Context) error {
	errs := make([]error, len(g))
	var stops sync.WaitGroup
	for i, s := range g {
		if s != nil {
			stops.Go(func() { errs[i] = s.Stop(ctx) })
		}
	}
	stops.Wait()
	return errors.Join(errs...)
}
