package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/supervise"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// superviseFigures are those of supervision, which go-plugin does not have. The column of go-plugin
// has plain launches and undisturbed calls instead, both of Jackfield.
func superviseFigures() []figure {
	return []figure{
		{"supervised-restart", "ms", "ratio to a plain launch at most 1.50", measureRestart(false)},
		{"spare-restart", "ms", "ratio to a plain launch at most 0.10", measureRestart(true)},
		{"replacement-call", "ms", "p99 at most 20 above undisturbed calls", measureReplacement},
	}
}

// superviseConfig describes the supervised plugin.
func (b *bench) superviseConfig() host.Config {
	client := func(_ *netrpc.Broker, c *netrpc.Client) (*netrpc.Client, error) { return c, nil }
	return host.Config{
		Handshake: core.Handshake{MagicCookieKey: service.CookieKey, MagicCookieValue: service.CookieValue},
		Versions:  core.Versions{1: {netrpc.New(netrpc.Carry(oursService, nil, client))}},
		Command:   host.Command(b.program(ours)),
		Logger:    slog.New(slog.DiscardHandler), // the kills are meant
	}
}

// supervisedSession is a supervised plugin with its events.
type supervisedSession struct {
	supervisor *supervise.Supervisor
	handle     supervise.Handle[*netrpc.Client]
	events     chan supervise.Event
}

func (b *bench) supervise(spare bool) (*supervisedSession, error) {
	s := &supervisedSession{events: make(chan supervise.Event, 64)}
	var err error
	s.supervisor, err = supervise.Start(b.ctx, supervise.Config{
		Launch:  b.superviseConfig(),
		Restart: supervise.Restart{MinPause: time.Millisecond, MaxPause: time.Millisecond, Limit: -1},
		Spare:   spare,
		OnEvent: func(e supervise.Event) { s.events <- e },
	})
	if err != nil {
		return nil, err
	}
	s.handle, err = supervise.Dispense(b.ctx, s.supervisor, oursService)
	return s, err
}

// await returns the next event of a kind.
func (s *supervisedSession) await(kind supervise.EventKind) supervise.Event {
	for e := range s.events {
		if e.Kind == kind {
			return e
		}
	}
	return supervise.Event{}
}

func (s *supervisedSession) echo(ctx context.Context) error {
	return s.handle.Idempotent().Do(ctx, func(ctx context.Context, c *netrpc.Client) error {
		var reply []byte
		return c.Call(ctx, "Echo", payload, &reply)
	})
}

// measureRestart measures the time from a kill to the next good call, without the pause, beside the
// time of a plain launch with its first call.
func measureRestart(spare bool) func(b *bench) (restart, launch []float64, err error) {
	return func(b *bench) (_, _ []float64, err error) {
		s, err := b.supervise(spare)
		if err != nil {
			return nil, nil, err
		}
		defer func() { err = errors.Join(err, s.supervisor.Close()) }()
		up := s.await(supervise.EventUp)
		restart := func() (float64, error) {
			if spare {
				s.await(supervise.EventSpareUp)
			}
			took, next, err := s.restart(b.ctx, up.ID, spare)
			up = next
			return took, err
		}
		return alternate(b.samples(100), restart, func() (float64, error) { return b.timeLaunch() })
	}
}

// restart kills the process and measures.
func (s *supervisedSession) restart(ctx context.Context, id string, spare bool) (float64, supervise.Event, error) {
	pid, err := strconv.Atoi(id)
	if err != nil {
		return 0, supervise.Event{}, err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return 0, supervise.Event{}, err
	}
	began := time.Now()
	if err := process.Kill(); err != nil {
		return 0, supervise.Event{}, err
	}
	err = s.echo(ctx)
	took := time.Since(began)
	if down := s.await(supervise.EventDown); !spare {
		took -= down.Pause
	}
	return milliseconds(took), s.await(supervise.EventUp), err
}

// timeLaunch times a plain launch of the same plugin with its first call.
func (b *bench) timeLaunch() (float64, error) {
	began := time.Now()
	s, err := b.launchOurs()
	if err != nil {
		return 0, err
	}
	err = s.Echo(payload)
	took := time.Since(began)
	return milliseconds(took), errors.Join(err, s.Close())
}

// replacementCallers is the number of callers during replacements.
const replacementCallers = 8

// measureReplacement measures the calls of 8 callers while the plugin is replaced, beside those
// while it is not. A failed call is an error.
func measureReplacement(b *bench) (during, undisturbed []float64, err error) {
	s, err := b.supervise(false)
	if err != nil {
		return nil, nil, err
	}
	go func() { // nobody looks at the events
		for range s.events {
			continue
		}
	}()
	defer func() {
		err = errors.Join(err, s.supervisor.Close())
		close(s.events)
	}()
	for range b.samples(30) {
		calm, err := s.load(b.ctx, func() error {
			time.Sleep(50 * time.Millisecond)
			return nil
		})
		undisturbed = append(undisturbed, calm...)
		if err != nil {
			return nil, nil, err
		}
		busy, err := s.load(b.ctx, func() error { return s.supervisor.Replace(b.ctx, b.superviseConfig()) })
		during = append(during, busy...)
		if err != nil {
			return nil, nil, err
		}
	}
	return during, undisturbed, nil
}

// load calls the plugin from all callers while f runs, and returns the time of each call.
func (s *supervisedSession) load(ctx context.Context, f func() error) ([]float64, error) {
	ended := make(chan struct{})
	var (
		mu      sync.Mutex
		samples []float64
		errs    error
		callers sync.WaitGroup
	)
	for range replacementCallers {
		callers.Go(func() {
			var own []float64
			var err error
			for err == nil {
				began := time.Now()
				err = s.handle.Do(ctx, func(ctx context.Context, c *netrpc.Client) error {
					var reply []byte
					return c.Call(ctx, "Echo", payload, &reply)
				})
				own = append(own, milliseconds(time.Since(began)))
				select {
				case <-ended:
					if err == nil {
						err = io.EOF
					}
				default:
				}
			}
			mu.Lock()
			defer mu.Unlock()
			samples = append(samples, own...)
			if !errors.Is(err, io.EOF) {
				errs = errors.Join(errs, err)
			}
		})
	}
	err := f()
	close(ended)
	callers.Wait()
	return samples, errors.Join(err, errs)
}
