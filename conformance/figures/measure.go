package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// payload is the data of a small call.
var payload = make([]byte, 64)

// measureLaunch measures the time from the start of a launch to the first answer. Only the
// second of two consecutive launches counts. The first one absorbs leftovers of the other
// library: goroutines that still read from closed files, and a process still being removed.
func measureLaunch(b *bench) (ours, theirs []float64, err error) {
	once := func(launch func() (session, error)) func() (float64, error) {
		return func() (float64, error) {
			began := time.Now()
			s, err := launch()
			if err != nil {
				return 0, err
			}
			err = s.Echo(payload)
			took := time.Since(began)
			return milliseconds(took), errors.Join(err, s.Close())
		}
	}
	second := func(launch func() (session, error)) func() (float64, error) {
		return func() (float64, error) {
			if _, err := once(launch)(); err != nil {
				return 0, err
			}
			return once(launch)()
		}
	}
	return alternate(b.samples(150), second(b.launchOurs), second(b.launchTheirs))
}

// measureCall measures a call to a warm plugin.
func measureCall(b *bench) (_, _ []float64, err error) {
	return onPairs(b.launchOurs, b.launchTheirs, func(s session) (float64, error) {
		return repeated(2000, func() error { return s.Echo(payload) })
	}, b.samples(60))
}

// measureReader measures the throughput of a reader through the broker.
func measureReader(b *bench) (_, _ []float64, err error) {
	return onPairs(b.launchOurs, b.launchTheirs, func(s session) (float64, error) {
		const size = 256 << 20
		began := time.Now()
		n, err := s.Send(io.LimitReader(zeros{}, size))
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes arrived", n)
		}
		return 256 / time.Since(began).Seconds(), err
	}, b.samples(15))
}

// zeros is an endless reader with almost no cost.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// pairs is the number of session pairs behind a figure. Two instances of one program
// differ by several percent, for as long as they run.
const pairs = 6

// onPairs takes n samples of each library, spread over several pairs of sessions. Within
// a pair they alternate.
func onPairs[S caller](launchOurs, launchTheirs func() (S, error), measure func(S) (float64, error), n int) (ours, theirs []float64, err error) {
	count := min(pairs, n)
	for i := range count {
		a, c, err := onPair(launchOurs, launchTheirs, measure, (n+i)/count)
		if err != nil {
			return nil, nil, err
		}
		ours, theirs = append(ours, a...), append(theirs, c...)
	}
	return ours, theirs, nil
}

// onPair takes n samples of a new session of each library.
func onPair[S caller](launchOurs, launchTheirs func() (S, error), measure func(S) (float64, error), n int) (ours, theirs []float64, err error) {
	var sessions [2]S
	for i, launch := range []func() (S, error){launchOurs, launchTheirs} {
		if sessions[i], err = launch(); err != nil {
			return nil, nil, err
		}
		defer func() { err = errors.Join(err, sessions[i].Close()) }()
		for range 100 { // the first calls are slower
			if err := sessions[i].Echo(payload); err != nil {
				return nil, nil, err
			}
		}
	}
	return alternate(n,
		func() (float64, error) { return measure(sessions[0]) },
		func() (float64, error) { return measure(sessions[1]) })
}

// measureSize returns the sizes of the stripped plugins.
func measureSize(b *bench) ([]float64, []float64, error) {
	size := func(name string) func() (float64, error) {
		return func() (float64, error) {
			info, err := os.Stat(b.program(name))
			if err != nil {
				return 0, err
			}
			return float64(info.Size()) / 1e6, nil
		}
	}
	return alternate(1, size(ours), size(theirs))
}

// measureClose measures an orderly end. A kill is an error.
func measureClose(b *bench) (ours, theirs []float64, err error) {
	once := func(launch func() (session, error)) func() (float64, error) {
		return func() (float64, error) {
			s, err := launch()
			if err != nil {
				return 0, err
			}
			if err := s.Echo(payload); err != nil {
				return 0, err
			}
			began := time.Now()
			err = s.Close()
			return milliseconds(time.Since(began)), err
		}
	}
	return alternate(b.samples(300), once(b.launchOurs), once(b.launchTheirs))
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// idlePlugins is the number of plugins behind each mean cost.
const idlePlugins = 30

// caller is the part of a session used by idle.
type caller interface {
	Echo(data []byte) error
	Close() error
}

// idle launches plugins, calls each of them, and returns the growth of count for each
// plugin.
func (b *bench) idle(launch func() (caller, error), count func() float64) (_ float64, err error) {
	before := count()
	var sessions []caller
	defer func() {
		for _, s := range sessions {
			err = errors.Join(err, s.Close())
		}
	}()
	for range idlePlugins {
		s, err := launch()
		if err != nil {
			return 0, err
		}
		sessions = append(sessions, s)
		if err := s.Echo(payload); err != nil {
			return 0, err
		}
	}
	return (settled(count) - before) / idlePlugins, nil
}

// settled waits until the result of count stops falling.
func settled(count func() float64) float64 {
	lowest := count()
	for range 5 {
		time.Sleep(50 * time.Millisecond)
		lowest = min(lowest, count())
	}
	return lowest
}

func measureIdleGoroutines(b *bench) ([]float64, []float64, error) {
	count := func() float64 { return float64(runtime.NumGoroutine()) }
	return b.measureIdle(count)
}

// measureIdleMemory measures heap and stacks in use.
func measureIdleMemory(b *bench) ([]float64, []float64, error) {
	return b.measureIdle(memory)
}

func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc+m.StackInuse) / 1e3
}

func (b *bench) measureIdle(count func() float64) ([]float64, []float64, error) {
	side := func(launch func() (session, error)) func() (float64, error) {
		return func() (float64, error) {
			return b.idle(func() (caller, error) { return launch() }, count)
		}
	}
	return alternate(b.samples(3), side(b.launchOurs), side(b.launchTheirs))
}
