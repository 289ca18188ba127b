package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// dispense checks that each Dispense makes a new instance.
func dispense(ctx context.Context, s *session) error {
	first, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	second, err := s.dispense(ctx)
	if err != nil {
		return err
	}
	for i, probe := range []*shared.Probe{first, second} {
		instance, err := probe.Instance(ctx)
		if err != nil {
			return err
		}
		s.see(fmt.Sprintf("instance%d", i+1), instance)
		count, err := probe.Count(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(expect("instance", instance, i+1), expect("count", count, 1)); err != nil {
			return err
		}
	}
	_, err = shared.Bounded(ctx, func() (any, error) { return s.protocol.Dispense("no-such-plugin") })
	if err == nil {
		return errors.New("a missing plugin was dispensed")
	}
	s.see("unknownError", err.Error())
	return nil
}

// calls exchanges values of several shapes and sizes.
func calls(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		echoes(ctx, probe, "", "hello", "Grüße\x00\n", strings.Repeat("x", 1<<20)),
		returns(ctx, "sum", int64(-3), func(ctx context.Context) (int64, error) { return probe.Sum(ctx, 4, -7) }),
		returns(ctx, "environment", os.Getenv("PATH"), func(ctx context.Context) (string, error) {
			return probe.Env(ctx, "PATH")
		}),
		samePid(ctx, s, probe),
		sameBytes(ctx, probe, 0, 1, 64<<10, 3<<20),
	)
}

func echoes(ctx context.Context, probe *shared.Probe, texts ...string) error {
	for _, text := range texts {
		got, err := probe.Echo(ctx, text)
		if err != nil {
			return fmt.Errorf("echo of %d bytes: %w", len(text), err)
		}
		if got != text {
			return fmt.Errorf("echo of %d bytes came back as %d bytes", len(text), len(got))
		}
	}
	return nil
}

func returns[T comparable](ctx context.Context, what string, want T, method func(context.Context) (T, error)) error {
	got, err := method(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return expect(what, got, want)
}

// samePid checks that the plugin runs in the launched process.
func samePid(ctx context.Context, s *session, probe *shared.Probe) error {
	return returns(ctx, "pid", s.command.Process.Pid, probe.Pid)
}

func sameBytes(ctx context.Context, probe *shared.Probe, lengths ...int) error {
	for _, length := range lengths {
		got, err := probe.Bytes(ctx, length)
		if err != nil {
			return fmt.Errorf("%d bytes: %w", length, err)
		}
		if !bytes.Equal(got, shared.Pattern(length)) {
			return fmt.Errorf("%d bytes: %d arrived, or different bytes", length, len(got))
		}
	}
	return nil
}

// parallel makes many calls concurrently.
func parallel(ctx context.Context, s *session) error {
	const callers, each = 32, 50
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	outcomes := make(chan error, callers)
	for caller := range callers {
		go func() {
			for call := range each {
				want := int64(caller*each + call)
				err := returns(ctx, "sum", want+1, func(ctx context.Context) (int64, error) {
					return probe.Sum(ctx, want, 1)
				})
				if err != nil {
					outcomes <- err
					return
				}
			}
			outcomes <- nil
		}()
	}
	var all error
	for range callers {
		all = errors.Join(all, <-outcomes)
	}
	s.see("calls", callers*each)
	s.see("callsMs", milliseconds(time.Since(began)))
	return all
}

// failures checks that errors arrive, and that they leave the connection intact.
func failures(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	const message = "the disk is full: 0 of 12 MB"
	err = probe.Fail(ctx, message)
	if err == nil {
		return errors.New("a failing call returned no error")
	}
	s.see("failError", err.Error())
	s.see("failType", fmt.Sprintf("%T", err))
	if err := expect("error", err.Error(), message); err != nil {
		return err
	}
	err = probe.Call(ctx, "NoSuchMethod", "", new(string))
	if err == nil {
		return errors.New("a missing method returned no error")
	}
	s.see("unknownMethodError", err.Error())
	return echoes(ctx, probe, "after the errors")
}

// abandon gives up a call and continues with others.
func abandon(ctx context.Context, s *session) error {
	probe, err := s.launchProbe(ctx)
	if err != nil {
		return err
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := probe.Block(short); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("a blocking call ended with: %w", err)
	}
	if err := echoes(ctx, probe, "while the other call still runs"); err != nil {
		return err
	}
	if err := probe.Release(ctx); err != nil {
		return err
	}
	if err := probe.Block(ctx); err != nil {
		return err
	}
	return echoes(ctx, probe, "after its answer came and was dropped")
}
