package notely

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// This file converts between Go types and messages, for all versions.

func approveAll(context.Context, string) error { return nil }

// message is an item of any version.
type message interface {
	GetId() string
	GetText() string
}

func toItem(m message) Item { return Item{ID: m.GetId(), Text: m.GetText()} }

// receive turns a stream into a sequence. The stream ends with the loop over the sequence.
func receive[Req, Resp any, M message](
	ctx context.Context,
	open func(context.Context, *Req, ...grpc.CallOption) (grpc.ServerStreamingClient[Resp], error),
	req *Req,
	get func(*Resp) M,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := open(ctx, req)
		for err == nil {
			var resp *Resp
			if resp, err = stream.Recv(); err == nil && !yield(toItem(get(resp)), nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(Item{}, fromStatus(err))
		}
	}
}

func send(items iter.Seq2[Item, error], one func(Item) error) error {
	for item, err := range items {
		if err == nil {
			err = one(item)
		}
		if err != nil {
			return toStatus(err)
		}
	}
	return nil
}

// toStatus converts an error with a meaning: gRPC transmits only statuses.
func toStatus(err error) error {
	if errors.Is(err, ErrRefused) {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return err
}

// fromStatus is the reverse of toStatus.
func fromStatus(err error) error {
	if s := status.Convert(err); s.Code() == codes.PermissionDenied {
		return fmt.Errorf("%w%s", ErrRefused, strings.TrimPrefix(s.Message(), ErrRefused.Error()))
	}
	return err
}
