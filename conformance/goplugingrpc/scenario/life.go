package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// stdio checks the plugin's output several times, to check the order too.
func stdio(ctx context.Context, r *Run) error {
	long := strings.Repeat("y", 200<<10) + "\n"
	for _, request := range []*conformancev1.PrintRequest{
		{Stdout: "first out\n", Stderr: "first err\n"},
		{Stdout: long, Stderr: "e", Times: 3},
		{Stderr: "last err without a newline"},
	} {
		if _, err := r.Probe.Print(ctx, request); err != nil {
			return err
		}
	}
	return errors.Join(
		r.Stdout().WaitFor(ctx, "stdout", "first out\n"+strings.Repeat(long, 3)),
		r.Stderr().WaitFor(ctx, "stderr", "first err\neeelast err without a newline"),
	)
}

func ping(ctx context.Context, r *Run) error {
	for range 10 {
		if err := r.Ping(ctx); err != nil {
			return fmt.Errorf("ping: %w", err)
		}
	}
	if err := r.Stop(ctx); err != nil {
		return err
	}
	err := r.Ping(ctx)
	if err == nil {
		return errors.New("ping succeeds after the plugin's end")
	}
	r.See("pingAfterEnd", err.Error())
	return nil
}

func version(ctx context.Context, r *Run) error {
	r.See("negotiated", r.Version())
	seen, err := r.Probe.Status(ctx, &conformancev1.StatusRequest{})
	return errors.Join(err, expect("the plugin's version", int(seen.GetVersion()), r.Version()))
}

func stop(ctx context.Context, r *Run) error {
	if err := alive(ctx, r); err != nil {
		return err
	}
	began := time.Now()
	if err := r.Stop(ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	r.See("stopMs", float64(time.Since(began).Microseconds())/1000)
	status, err := r.Ended(ctx)
	return errors.Join(err, expect("status", status, ""), expect("process gone", shared.ProcessGone(r.Pid()), true))
}

// stopBrokered leaves brokered connections of both directions open.
func stopBrokered(ctx context.Context, r *Run) error {
	offered, err := r.Probe.Offer(ctx, &conformancev1.OfferRequest{Count: 2})
	if err != nil {
		return err
	}
	for _, id := range offered.GetBrokerIds() {
		conn, err := r.Probe.Broker.Dial(ctx, id)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		if err := probe.Ask(ctx, conn, probe.PluginName, id, "before the end", 0); err != nil {
			return err
		}
	}
	serving, err := probe.Serve(ctx, r.Probe.Broker, false, probe.Answerer(probe.HostName))
	if err != nil {
		return err
	}
	defer func() { _ = serving.Stop() }() // it may have ended with the broker
	_, err = r.Probe.Callback(ctx, &conformancev1.CallbackRequest{BrokerId: serving.ID, Question: "before the end"})
	if err != nil {
		return err
	}
	return stop(ctx, r)
}

// exit lets the plugin exit by itself, with another call in flight.
func exit(ctx context.Context, r *Run) error {
	return crash(ctx, r, &conformancev1.CrashRequest{ExitCode: 7}, "exit status 7")
}

// panics lets the plugin panic.
func panics(ctx context.Context, r *Run) error {
	return crash(ctx, r, &conformancev1.CrashRequest{Panic: "the reactor is on fire"}, "exit status 2")
}

func crash(ctx context.Context, r *Run, request *conformancev1.CrashRequest, want string) error {
	beside := make(chan error, 1)
	go func() {
		_, err := r.Probe.Sleep(ctx, &conformancev1.SleepRequest{Duration: durationpb.New(time.Hour)})
		beside <- err
	}()
	began := time.Now()
	_, err := r.Probe.Crash(ctx, request)
	if err == nil {
		return errors.New("a call returned no error although it ended its plugin")
	}
	r.See("callError", err.Error())
	r.See("callErrorMs", float64(time.Since(began).Microseconds())/1000)
	if err = <-beside; err == nil {
		return errors.New("a call in flight returned no error")
	}
	r.See("besideError", err.Error())
	status, err := r.Ended(ctx)
	return errors.Join(err, expect("status", status, want))
}
