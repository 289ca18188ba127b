package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc/codes"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// streams runs each kind of stream to its end.
func streams(ctx context.Context, r *Run) error {
	const numbers = 1000
	return errors.Join(
		count(ctx, r, numbers, codes.OK),
		sum(ctx, r, numbers),
		chat(ctx, r, numbers),
		alive(ctx, r),
	)
}

// count reads a server's stream up to its end with code.
func count(ctx context.Context, r *Run, to uint32, code codes.Code) error {
	stream, err := r.Probe.Count(ctx, &conformancev1.CountRequest{To: to, Code: uint32(code)})
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	for want := uint32(1); ; want++ {
		got, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return expect("numbers before the end", want-1, to)
		case err != nil && code != codes.OK:
			return errors.Join(failedWith(err, code, "counted to the end"), expect("numbers before the failure", want-1, to))
		case err != nil:
			return fmt.Errorf("count: %w", err)
		case got.GetNumber() != want:
			return fmt.Errorf("count: got %d, expected %d", got.GetNumber(), want)
		}
	}
}

// sum writes a client's stream.
func sum(ctx context.Context, r *Run, numbers uint32) error {
	stream, err := r.Probe.Sum(ctx)
	if err != nil {
		return fmt.Errorf("sum: %w", err)
	}
	want := int64(0)
	for number := range int64(numbers) {
		if err := stream.Send(&conformancev1.SumRequest{Number: number}); err != nil {
			return fmt.Errorf("sum: %w", err)
		}
		want += number
	}
	answer, err := stream.CloseAndRecv()
	if err != nil {
		return fmt.Errorf("sum: %w", err)
	}
	return errors.Join(expect("numbers", answer.GetNumbers(), numbers), expect("sum", answer.GetTotal(), want))
}

// chat writes and reads one message after the other.
func chat(ctx context.Context, r *Run, messages uint32) error {
	stream, err := r.Probe.Chat(ctx)
	if err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	for i := range messages {
		text := fmt.Sprintf("message %d", i)
		if err := stream.Send(&conformancev1.ChatRequest{Text: text}); err != nil {
			return fmt.Errorf("chat: %w", err)
		}
		answer, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("chat: %w", err)
		}
		if err := expect("reply", answer.GetText(), probe.Reply(text)); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return fmt.Errorf("chat: %w", err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("chat: its end: %w", err)
	}
	return nil
}

// brokenStreams lets streams fail, and abandons others midway.
func brokenStreams(ctx context.Context, r *Run) error {
	if err := count(ctx, r, 10, codes.DataLoss); err != nil {
		return err
	}
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	endless, err := r.Probe.Count(short, &conformancev1.CountRequest{To: 1 << 31})
	if err != nil {
		return err
	}
	idle, err := r.Probe.Chat(short)
	if err != nil {
		return err
	}
	for range 10 {
		if _, err := endless.Recv(); err != nil {
			return err
		}
	}
	cancel()
	for err = nil; err == nil; { // earlier messages are still delivered
		_, err = endless.Recv()
	}
	_, idleErr := idle.Recv()
	return errors.Join(
		failedWith(err, codes.Canceled, ""),
		failedWith(idleErr, codes.Canceled, ""),
		interrupted(ctx, r, 1),
		alive(ctx, r),
	)
}
