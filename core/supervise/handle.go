package supervise

import (
	"context"
	"iter"
	"maps"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// Handle makes calls of one plugin, C, on the process in service. It is dispensed once and serves
// restarts and replacements. It is safe for use by many goroutines, and needs no close. The zero
// value is of no use.
type Handle[C any] struct {
	supervisor *Supervisor
	plugin     any // the core.Plugin
	dispense   dispense
	repeats    int
}

// Dispense returns a handle of the plugin p, with the same types and errors as [host.Dispense]. It
// waits for a process as a call does. From then on, each new process is asked for a client before it
// takes calls, and a process without p counts as a failed launch. All handles of p share its client.
func Dispense[S, C any](ctx context.Context, s *Supervisor, p core.Plugin[S, C]) (Handle[C], error) {
	h := Handle[C]{supervisor: s, plugin: p, dispense: func(ctx context.Context, client *host.Client) (any, error) {
		return host.Dispense(ctx, client, p)
	}}
	if err := h.Do(ctx, func(context.Context, C) error { return nil }); err != nil {
		return Handle[C]{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles[p] = h.dispense
	return h, nil
}

// Idempotent returns the handle for calls that may run twice. If a call loses its process, it is
// repeated on the next one, up to Config.Repeats times. Whether the first attempt took effect is
// unknown.
func (h Handle[C]) Idempotent() Handle[C] {
	h.repeats = max(h.supervisor.cfg.Repeats, 0)
	return h
}

// Do calls f with the client of the process in service. The rules are those of [Supervisor.Do]. An
// error of the client must be returned or wrapped: a lost process is recognized by it.
func (h Handle[C]) Do(ctx context.Context, f func(ctx context.Context, client C) error) error {
	return h.supervisor.do(ctx, h.repeats, func(ctx context.Context, p *process) error {
		made, err := p.dispense(ctx, h.plugin, h.dispense)
		if err != nil {
			return err
		}
		client, _ := made.(C) // the type that host.Dispense has checked
		return f(ctx, client)
	})
}

// Call is Do for a function with a result.
func Call[C, R any](ctx context.Context, h Handle[C], f func(ctx context.Context, client C) (R, error)) (R, error) {
	var result R
	err := h.Do(ctx, func(ctx context.Context, client C) (err error) {
		result, err = f(ctx, client)
		return err
	})
	return result, err
}

// Seq is Do for a function with a sequence of results. The sequence ends with the call's error, if
// there is one. It is never repeated, since its first elements have been used already.
func Seq[C, R any](ctx context.Context, h Handle[C], f func(ctx context.Context, client C) iter.Seq2[R, error]) iter.Seq2[R, error] {
	h.repeats = 0
	return func(yield func(R, error) bool) {
		err := h.Do(ctx, func(ctx context.Context, client C) error {
			for result, err := range f(ctx, client) {
				if err != nil {
					return err
				}
				if !yield(result, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			var none R
			yield(none, err)
		}
	}
}

// dispense makes a client of a process.
type dispense func(ctx context.Context, client *host.Client) (any, error)

// dispensed is a process's client for the handles of one plugin.
type dispensed struct {
	making chan struct{} // held while the client is made
	client any           // nil before
}

// dispense returns the process's client for a plugin. It is made once.
func (p *process) dispense(ctx context.Context, plugin any, dispense dispense) (any, error) {
	p.mu.Lock()
	d := p.made[plugin]
	if d == nil {
		d = &dispensed{making: make(chan struct{}, 1)}
		p.made[plugin] = d
	}
	client := d.client
	p.mu.Unlock()
	if client != nil {
		return client, nil
	}
	select {
	case d.making <- struct{}{}:
		defer func() { <-d.making }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p.mu.Lock()
	client = d.client // another call may have made it
	p.mu.Unlock()
	if client != nil {
		return client, nil
	}
	client, err := dispense(ctx, p.client)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	d.client = client
	p.mu.Unlock()
	return client, nil
}

// dispenseAll makes the process's clients for all handles.
func (s *Supervisor) dispenseAll(ctx context.Context, p *process) error {
	s.mu.Lock()
	handles := maps.Clone(s.handles)
	s.mu.Unlock()
	for plugin, dispense := range handles {
		if _, err := p.dispense(ctx, plugin, dispense); err != nil {
			return err
		}
	}
	return nil
}
