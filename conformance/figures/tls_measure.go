package main

import (
	"errors"
	"sync"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/host"
)

// tlsFigures are the figures under AutoMTLS.
func tlsFigures() []figure {
	return []figure{
		{"mtls-launch", "ms", "ratio at most 0.25", measureTLSLaunch(netrpcTLS(ours), launchTime)},
		{"mtls-launch-their-plugin", "ms", "ratio at most 0.85", measureTLSLaunch(netrpcTLS(theirs), launchTime)},
		{"mtls-grpc-launch", "ms", "ratio at most 0.25", measureTLSLaunch(grpcTLS(oursGRPCPlugin), launchTime)},
		{"mtls-grpc-launch-their-plugin", "ms", "ratio at most 0.75", measureTLSLaunch(grpcTLS(theirsGRPCPluginProgram), launchTime)},
		{"mtls-launch-cpu", "ms", "ratio at most 0.22", measureTLSLaunch(netrpcTLS(ours), launchCPU)},
		{"mtls-grpc-launch-cpu", "ms", "ratio at most 0.22", measureTLSLaunch(grpcTLS(oursGRPCPlugin), launchCPU)},
		{"mtls-50-launches", "ms", "ratio at most 0.30", measureTLSLaunch(netrpcTLS(ours), launchesTime)},
		{"mtls-brokered", "µs", "ratio at most 0.28", measureTLSBrokered},
		{"mtls-call-64B", "µs", "ratio to ours without TLS at most 1.10", measureTLSCall},
	}
}

// withTLS enables AutoMTLS and selects the plugin's program for our host.
func withTLS(b *bench, program string) func(*host.Config) {
	return func(cfg *host.Config) {
		cfg.AutoMTLS = host.MTLSRequired
		cfg.Command.Path = b.program(program)
	}
}

func theirsWithTLS(cfg *goplugin.ClientConfig) { cfg.AutoMTLS = true }

// launchers start a plugin on either library.
type launchers func(b *bench) (ours, theirs func() (caller, error))

// netrpcTLS lets our host run program, and go-plugin's host its own plugin.
func netrpcTLS(program string) launchers {
	return func(b *bench) (ours, theirs func() (caller, error)) {
		return func() (caller, error) { return b.startOurs(withTLS(b, program)) },
			func() (caller, error) { return b.startTheirs(theirsWithTLS) }
	}
}

func grpcTLS(program string) launchers {
	return func(b *bench) (ours, theirs func() (caller, error)) {
		start, startTheirs := b.oursGRPCWith(withTLS(b, program)), b.theirsGRPCWith(theirsWithTLS, false)
		return func() (caller, error) { return start() }, func() (caller, error) { return startTheirs() }
	}
}

// measureTLSLaunch measures a property of launches. Only the second of two consecutive
// launches counts; see measureLaunch.
func measureTLSLaunch(
	start launchers, take func(launch func() (caller, error)) (float64, error),
) func(b *bench) (ours, theirs []float64, err error) {
	return func(b *bench) ([]float64, []float64, error) {
		second := func(launch func() (caller, error)) func() (float64, error) {
			return func() (float64, error) {
				if _, err := launchTime(launch); err != nil {
					return 0, err
				}
				return take(launch)
			}
		}
		ours, theirs := start(b)
		return alternate(b.samples(60), second(ours), second(theirs))
	}
}

// launchTime returns the time from the start of a launch to the first answer.
func launchTime(launch func() (caller, error)) (float64, error) {
	began := time.Now()
	s, err := launch()
	if err != nil {
		return 0, err
	}
	err = s.Echo(payload)
	took := time.Since(began)
	return milliseconds(took), errors.Join(err, s.Close())
}

// launchCPU returns the CPU time of this process, the host, for a launch.
func launchCPU(launch func() (caller, error)) (float64, error) {
	began := ownCPU()
	s, err := launch()
	if err != nil {
		return 0, err
	}
	err = s.Echo(payload)
	took := ownCPU() - began
	return milliseconds(took), errors.Join(err, s.Close())
}

// launchesTime returns the time of 50 concurrent launches, each up to its first answer.
func launchesTime(launch func() (caller, error)) (float64, error) {
	const launches = 50
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	sessions := make([]caller, launches)
	began := time.Now()
	for i := range launches {
		group.Go(func() {
			s, err := launch()
			if err == nil {
				sessions[i], err = s, s.Echo(payload)
			}
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	group.Wait()
	took := time.Since(began)
	for _, s := range sessions {
		if s != nil {
			failed = errors.Join(failed, s.Close())
		}
	}
	return milliseconds(took), failed
}

// measureTLSBrokered measures a call in which the plugin opens a new brokered connection
// and makes the first call on it.
func measureTLSBrokered(b *bench) ([]float64, []float64, error) {
	return onPairs(b.oursGRPCWith(withTLS(b, oursGRPCPlugin)), b.theirsGRPCWith(theirsWithTLS, false),
		func(s grpcSession) (float64, error) { return repeated(5, s.Callback) }, b.samples(60))
}

// measureTLSCall measures our calls with and without TLS.
func measureTLSCall(b *bench) (_, _ []float64, err error) {
	return onPairs(b.oursGRPCWith(withTLS(b, oursGRPCPlugin)), b.oursGRPC(), func(s grpcSession) (float64, error) {
		return repeated(1000, func() error { return s.Echo(payload) })
	}, b.samples(60))
}
