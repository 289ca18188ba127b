package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// dispense checks that each Dispense of a plugin reaches the same server.
func dispense(ctx context.Context, r *Run) error {
	second, err := r.Dispense(ctx, shared.PluginName)
	if err != nil {
		return fmt.Errorf("the second dispense: %w", err)
	}
	offered, err := r.Probe.Offer(ctx, &conformancev1.OfferRequest{Count: 1})
	if err != nil {
		return err
	}
	seen, err := second.Status(ctx, &conformancev1.StatusRequest{})
	if err != nil {
		return err
	}
	_, withdrawErr := second.Withdraw(ctx, &conformancev1.WithdrawRequest{BrokerIds: offered.GetBrokerIds()})
	_, err = r.Dispense(ctx, "no-such-plugin")
	if err == nil {
		return errors.New("a missing plugin was dispensed")
	}
	r.See("unknownError", err.Error())
	return errors.Join(expect("offers of the first, seen by the second", seen.GetOffers(), 1), withdrawErr)
}

// unary exchanges values of several sizes, all below gRPC's own limit.
func unary(ctx context.Context, r *Run) error {
	for _, size := range []int{0, 1, 64, 64 << 10, 1 << 20, 3 << 20} {
		if err := echo(ctx, r.Probe, probe.Pattern(size)); err != nil {
			return err
		}
	}
	seen, err := r.Probe.Status(ctx, &conformancev1.StatusRequest{})
	return errors.Join(err, expect("pid", int(seen.GetPid()), r.Pid()))
}

func echo(ctx context.Context, client *probe.Client, payload []byte) error {
	answer, err := client.Echo(ctx, &conformancev1.EchoRequest{Payload: payload})
	if err != nil {
		return fmt.Errorf("echo of %d bytes: %w", len(payload), err)
	}
	if !bytes.Equal(answer.GetPayload(), payload) {
		return fmt.Errorf("echo of %d bytes returned %d bytes, or different bytes", len(payload), len(answer.GetPayload()))
	}
	return nil
}

// alive checks that the plugin answers calls.
func alive(ctx context.Context, r *Run) error { return echo(ctx, r.Probe, []byte("still here")) }

// statuses checks that errors arrive unchanged and leave the connection intact.
func statuses(ctx context.Context, r *Run) error {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		text := "the disk is full: 0 of 12 MB, " + code.String()
		_, err := r.Probe.Fail(ctx, &conformancev1.FailRequest{Code: uint32(code), Message: text})
		if err := failedWith(err, code, text); err != nil {
			return err
		}
	}
	empty := &conformancev1.StatusRequest{}
	err := r.Probe.Conn.Invoke(ctx, "/conformance.v1.ProbeService/NoSuchMethod", empty, empty)
	if err := failedWith(err, codes.Unimplemented, "NoSuchMethod"); err != nil {
		return err
	}
	err = r.Probe.Conn.Invoke(ctx, "/conformance.v1.NoSuchService/Status", empty, empty)
	if err := failedWith(err, codes.Unimplemented, "NoSuchService"); err != nil {
		return err
	}
	return alive(ctx, r)
}

// failedWith checks an error's code, and its text for part.
func failedWith(err error, code codes.Code, part string) error {
	if got := status.Code(err); got != code || !strings.Contains(status.Convert(err).Message(), part) {
		return fmt.Errorf("got %v: %w; expected %v with %q", got, err, code, part)
	}
	return nil
}

// abandon gives up a call; it must end in the plugin too.
func abandon(ctx context.Context, r *Run) error {
	sleep := &conformancev1.SleepRequest{Duration: durationpb.New(time.Hour)}
	short, cancelShort := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancelShort()
	_, err := r.Probe.Sleep(short, sleep)
	if err := failedWith(err, codes.DeadlineExceeded, ""); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := r.Probe.Sleep(cancelled, sleep)
		ended <- err
	}()
	if err := alive(ctx, r); err != nil { // beside the other call
		return err
	}
	cancel()
	if err := failedWith(<-ended, codes.Canceled, ""); err != nil {
		return err
	}
	return interrupted(ctx, r, 1) // a call cancelled before sending never reaches the plugin
}

// interrupted waits until the plugin counts want interrupted calls.
func interrupted(ctx context.Context, r *Run, want uint32) error {
	return poll(ctx, func() (bool, error) {
		seen, err := r.Probe.Status(ctx, &conformancev1.StatusRequest{})
		return seen.GetInterrupted() >= want, err
	})
}

// poll repeats answer until it returns true or an error, or ctx ends.
func poll(ctx context.Context, answer func() (bool, error)) error {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if yes, err := answer(); yes || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// parallel makes many calls concurrently.
func parallel(ctx context.Context, r *Run) error {
	const callers, each = 32, 50
	began := time.Now()
	err := atOnce(callers, func(caller int) error {
		for call := range each {
			if err := echo(ctx, r.Probe, fmt.Appendf(nil, "call %d of %d", call, caller)); err != nil {
				return err
			}
		}
		return nil
	})
	r.See("calls", callers*each)
	r.See("callsMs", float64(time.Since(began).Microseconds())/1000)
	return err
}

// atOnce runs do n times concurrently and joins the errors.
func atOnce(n int, do func(i int) error) error {
	outcomes := make(chan error, n)
	for i := range n {
		go func() { outcomes <- do(i) }()
	}
	var all error
	for range n {
		all = errors.Join(all, <-outcomes)
	}
	return all
}
