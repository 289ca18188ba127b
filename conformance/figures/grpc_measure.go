package main

import (
	"errors"
	"runtime"
	"sync"
	"time"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// grpcFigures are the figures over gRPC, plain and multiplexed.
func grpcFigures() []figure {
	multiplexed := transportgrpc.WithMultiplexing()
	both := func(measure func(b *bench, ours, theirs func() (grpcSession, error)) ([]float64, []float64, error), multiplex bool) func(b *bench) (ours, theirs []float64, err error) {
		return func(b *bench) ([]float64, []float64, error) {
			if multiplex {
				return measure(b, b.oursGRPC(multiplexed), b.theirsGRPC(true))
			}
			return measure(b, b.oursGRPC(), b.theirsGRPC(false))
		}
	}
	return []figure{
		{"grpc-launch", "ms", "ratio at most 0.95", both(measureGRPCLaunch, false)},
		{"grpc-call-64B", "µs", "ratio at most 0.88", both(measureGRPCCall, false)},
		{"grpc-calls-64KiB", "MiB/s", "ratio at least 1.30", both(measureGRPCThroughput, false)},
		{"mux-call-64B", "µs", "ratio at most 0.95", both(measureGRPCCall, true)},
		{"grpc-brokered", "µs", "ratio at most 0.90", both(measureGRPCBrokered, false)},
		{"mux-brokered", "µs", "ratio at most 0.90", both(measureGRPCBrokered, true)},
		{"grpc-stdout", "MiB/s", "ratio at least 1.70", both(measureGRPCPrint, false)},
		{"grpc-close", "ms", "", both(measureGRPCClose, false)},
		{"grpc-goroutines", "", "ours at most 13", both(measureGRPCGoroutines, false)},
		{"mux-goroutines", "", "ours at most 16", both(measureGRPCGoroutines, true)},
		{"grpc-memory", "kB", "ours at most 100", both(measureGRPCMemory, false)},
		{"mux-memory", "kB", "ours at most 100", both(measureGRPCMemory, true)},
	}
}

type grpcLauncher = func() (grpcSession, error)

// measureGRPCLaunch measures the time from the start of a launch to the first answer; see
// measureLaunch.
func measureGRPCLaunch(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	once := func(launch grpcLauncher) (float64, error) {
		began := time.Now()
		s, err := launch()
		if err != nil {
			return 0, err
		}
		err = s.Echo(payload)
		took := time.Since(began)
		return milliseconds(took), errors.Join(err, s.Close())
	}
	second := func(launch grpcLauncher) func() (float64, error) {
		return func() (float64, error) {
			if _, err := once(launch); err != nil {
				return 0, err
			}
			return once(launch)
		}
	}
	return alternate(b.samples(100), second(ours), second(theirs))
}

// repeated returns the mean time of n runs of do, in microseconds.
func repeated(n int, do func() error) (float64, error) {
	began := time.Now()
	for range n {
		if err := do(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(began).Nanoseconds()) / 1e3 / float64(n), nil
}

func measureGRPCCall(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	return onPairs(ours, theirs, func(s grpcSession) (float64, error) {
		return repeated(1000, func() error { return s.Echo(payload) })
	}, b.samples(60))
}

// measureGRPCThroughput measures 64 callers sending 64 KiB there and back.
func measureGRPCThroughput(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	const callers, calls, size = 64, 16, 64 << 10
	data := make([]byte, size)
	return onPairs(ours, theirs, func(s grpcSession) (float64, error) {
		var group sync.WaitGroup
		failed := make(chan error, callers)
		began := time.Now()
		for range callers {
			group.Go(func() {
				if _, err := repeated(calls, func() error { return s.Echo(data) }); err != nil {
					failed <- err
				}
			})
		}
		group.Wait()
		took := time.Since(began)
		select {
		case err := <-failed:
			return 0, err
		default:
		}
		return 2 * callers * calls * size / float64(1<<20) / took.Seconds(), nil
	}, b.samples(40))
}

// measureGRPCBrokered measures a call in which the plugin opens a new brokered connection
// and makes the first call on it.
func measureGRPCBrokered(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	return onPairs(ours, theirs, func(s grpcSession) (float64, error) {
		return repeated(5, s.Callback)
	}, b.samples(60))
}

func measureGRPCPrint(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	const times = 256
	return onPairs(ours, theirs, func(s grpcSession) (float64, error) {
		took, err := repeated(1, func() error { return s.Print(times) })
		return times * 64 / 1024.0 / took * 1e6, err
	}, b.samples(30))
}

func measureGRPCClose(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	once := func(launch grpcLauncher) func() (float64, error) {
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
	return alternate(b.samples(100), once(ours), once(theirs))
}

func measureGRPCGoroutines(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	return b.measureGRPCIdle(func() float64 { return float64(runtime.NumGoroutine()) }, ours, theirs)
}

func measureGRPCMemory(b *bench, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	return b.measureGRPCIdle(memory, ours, theirs)
}

func (b *bench) measureGRPCIdle(count func() float64, ours, theirs grpcLauncher) ([]float64, []float64, error) {
	side := func(launch grpcLauncher) func() (float64, error) {
		return func() (float64, error) {
			return b.idle(func() (caller, error) { return launch() }, count)
		}
	}
	return alternate(b.samples(3), side(ours), side(theirs))
}
