package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// manyVariable makes this program a host of many plugins of the side at its value, one of sides.
// Each host is a process of its own, since memory that was in use once stays with its process.
const manyVariable = "FIGURES_HOST_OF_MANY"

// manyPlugins run at once, and are launched and stopped manyAtOnce at a time.
const (
	manyPlugins = 200
	manyAtOnce  = 8
)

// manyFigures are the figures of many plugins in one host.
func manyFigures() []figure {
	var all []figure
	for _, over := range []struct{ name, ours, theirs string }{
		{"many", "ours", "theirs"},
		{"grpc-many", "ours over gRPC", "theirs over gRPC"},
	} {
		measure := func(part func(manyResult) float64, tmpdir func(b *bench) (string, error)) func(b *bench) (_, _ []float64, err error) {
			return func(b *bench) (_, _ []float64, err error) {
				dir, err := tmpdir(b)
				if err != nil {
					return nil, nil, err
				}
				once := func(side string) func() (float64, error) {
					return func() (float64, error) {
						result, err := b.many(side, dir)
						return part(result), err
					}
				}
				return alternate(b.samples(7), once(over.ours), once(over.theirs))
			}
		}
		all = append(all,
			figure{over.name + "-in-memory", "ms", "ratio at most 0.75", measure(manyResult.time, inMemory)},
			figure{over.name + "-on-disk", "ms", "ratio at most 0.85", measure(manyResult.time, onDisk)},
			figure{over.name + "-resident", "kB", "ratio at most 1", measure(manyResult.resident, onDisk)})
	}
	return all
}

// onDisk returns a directory for TMPDIR in the present one, usually on a disk.
func onDisk(b *bench) (string, error) { return b.dir, nil }

// inMemory returns Linux's directory in memory. Other systems have none in a common place.
func inMemory(b *bench) (string, error) {
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err != nil {
		return onDisk(b)
	}
	return shm, nil
}

// manyResult is the result of one host.
type manyResult struct {
	launched, stopped time.Duration
	grown             float64 // kilobytes of resident memory for each idle plugin; NaN where unknown
}

func (r manyResult) time() float64     { return milliseconds(r.launched + r.stopped) }
func (r manyResult) resident() float64 { return r.grown }

// many runs a host of many plugins.
func (b *bench) many(side, tmpdir string) (r manyResult, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	command := exec.CommandContext(b.ctx, self, b.dir)
	command.Env = append(os.Environ(), manyVariable+"="+side, "TMPDIR="+tmpdir)
	output, err := command.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return r, fmt.Errorf("the host of many plugins: %w\n%s", err, exit.Stderr)
	}
	if err == nil {
		_, err = fmt.Sscan(string(output), &r.launched, &r.stopped, &r.grown)
	}
	return r, err
}

// sides are the ways to launch one of many plugins.
func (b *bench) sides() map[string]func() (caller, error) {
	oursGRPC, theirsGRPC := b.oursGRPC(), b.theirsGRPC(false)
	return map[string]func() (caller, error){
		"ours":             func() (caller, error) { return b.launchOurs() },
		"theirs":           func() (caller, error) { return b.launchTheirs() },
		"ours over gRPC":   func() (caller, error) { return oursGRPC() },
		"theirs over gRPC": func() (caller, error) { return theirsGRPC() },
	}
}

// hostMany launches many plugins, stops them and prints the result.
func (b *bench) hostMany(launch func() (caller, error)) error {
	// The first plugin pays for everything that all plugins share.
	first, err := launch()
	if err == nil {
		err = errors.Join(first.Echo(payload), first.Close())
	}
	if err != nil {
		return err
	}
	before := residentMemory()
	var r manyResult
	sessions := make([]caller, manyPlugins)
	r.launched, err = inTurns(sessions, func(s *caller) (err error) {
		if *s, err = launch(); err != nil {
			return err
		}
		return (*s).Echo(payload)
	})
	if err != nil {
		return err
	}
	r.grown = (settled(residentMemory) - before) / manyPlugins
	r.stopped, err = inTurns(sessions, func(s *caller) error { return (*s).Close() })
	if err != nil {
		return err
	}
	_, err = fmt.Println(int64(r.launched), int64(r.stopped), r.grown)
	return err
}

// inTurns calls do for each session, manyAtOnce at a time, and returns the time for all.
func inTurns(sessions []caller, do func(*caller) error) (time.Duration, error) {
	began := time.Now()
	turns := make(chan *caller)
	failed := make([]error, manyAtOnce)
	var workers sync.WaitGroup
	for i := range failed {
		workers.Go(func() {
			for s := range turns {
				failed[i] = errors.Join(failed[i], do(s))
			}
		})
	}
	for i := range sessions {
		turns <- &sessions[i]
	}
	close(turns)
	workers.Wait()
	return time.Since(began), errors.Join(failed...)
}

// residentMemory returns this process's resident memory in kilobytes, without free memory that
// the runtime has not returned yet; NaN on systems without /proc.
func residentMemory() float64 {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return math.NaN()
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	var kilobytes float64
	if _, err := fmt.Sscan(line, &kilobytes); err != nil {
		return math.NaN()
	}
	return kilobytes
}
