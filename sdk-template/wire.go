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

// What both versions need to put Go's types on the wire.

func approveAll(context.Context, string) error { return nil }

// item makes an Item of any version's message.
func item(message interface {
	GetId() string
	GetText() string
},
) Item {
	return Item{ID: message.GetId(), Text: message.GetText()}
}

// receive makes a sequence of a stream. The stream ends with the loop over it.
func receive[Resp any](
	ctx context.Context,
	open func(context.Context) (grpc.ServerStreamingClient[Resp], error),
	convert func(*Resp) Item,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := open(ctx)
		for err == nil {
			var resp *Resp
			if resp, err = stream.Recv(); err == nil && !yield(convert(resp), nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(Item{}, fromStatus(err))
		}
	}
}

// toStatus gives errors with a meaning a status: gRPC carries nothing else.
func toStatus(err error) error {
	if errors.Is(err, ErrRefused) {
		return status.Error(codes.PermissionDenied, err.Error())
	}
	return err
}

// fromStatus is the reverse of toStatus.
func fromStatus(err error) error {
	if s := status.Convert(err); s.Code() == codes.PermissionDenied {
		reason := strings.TrimPrefix(s.Message(), ErrRefused.Error())
		return fmt.Errorf("%w%s", ErrRefused, reason)
	}
	return err
}
