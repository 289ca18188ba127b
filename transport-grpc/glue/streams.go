package glue

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Sender is the sending side of a stream from generated gRPC code.
type Sender[T any] interface{ Send(message *T) error }

// Receiver is the receiving side of a stream from generated gRPC code.
type Receiver[T any] interface{ Recv() (*T, error) }

// SendReceiver is a client's stream for a method with streams both ways.
type SendReceiver[Req, Resp any] interface {
	Sender[Req]
	Receiver[Resp]
	CloseSend() error
}

// SendCloser is a client's stream for a method with a stream of requests.
type SendCloser[Req, Resp any] interface {
	Sender[Req]
	CloseAndRecv() (*Resp, error)
}

// SendAll sends an implementation's messages, in a server, and returns the sequence's error
// for gRPC. It returns the error of Send if the caller has gone.
func SendAll[T any](stream Sender[T], messages iter.Seq2[*T, error]) error {
	if messages == nil {
		return status.Error(codes.Internal, "the implementation returned a nil sequence")
	}
	for message, err := range messages {
		if err != nil {
			return ToStatus(err)
		}
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

// Received returns the messages of a stream, in a server, to its end. An error ends the
// sequence. Each message comes once, however often the sequence is ranged over.
func Received[T any](stream Receiver[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) { _ = receive(stream, yield) }
}

// receive yields messages until the stream or the loop over them ends. ended reports
// whether the stream ended.
func receive[T any](stream Receiver[T], yield func(*T, error) bool) (ended bool) {
	for {
		message, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			yield(nil, FromStatus(err))
			return true
		case !yield(message, nil):
			return false
		}
	}
}

// Receive returns the messages of a method with a stream of responses, in a client. Each
// loop over the messages is a separate call: the call begins and ends with the loop.
func Receive[T any](ctx context.Context, open func(ctx context.Context) (Receiver[T], error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := open(ctx)
		if err != nil {
			yield(nil, FromStatus(err))
			return
		}
		receive(stream, yield)
	}
}

// Send sends all requests of a method with a stream of requests, in a client, and returns
// the response. An error among the requests cancels the call, and Send returns it. The other
// side may answer before the end of the requests; Send then takes no more of them.
func Send[Req, Resp any](
	ctx context.Context, requests iter.Seq2[*Req, error],
	open func(ctx context.Context) (SendCloser[Req, Resp], error),
) (*Resp, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := open(ctx)
	if err != nil {
		return nil, FromStatus(err)
	}
	if err := sendRequests(stream, requests); err != nil {
		return nil, err
	}
	response, err := stream.CloseAndRecv()
	return response, FromStatus(err)
}

// Exchange calls a method with streams both ways, in a client. Each loop over the responses
// is a separate call, and the call ends with the loop. A goroutine takes the requests. It
// ends at the next request after the end of the call. A sequence with its own waits must
// therefore end them itself, for example with the caller's context. An error among the
// requests cancels the call and is the last of the responses.
func Exchange[Req, Resp any](
	ctx context.Context, requests iter.Seq2[*Req, error],
	open func(ctx context.Context) (SendReceiver[Req, Resp], error),
) iter.Seq2[*Resp, error] {
	return func(yield func(*Resp, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stream, err := open(ctx)
		if err != nil {
			yield(nil, FromStatus(err))
			return
		}
		go func() {
			if err := sendRequests(stream, requests); err != nil {
				cancel(requestError{err})
				return
			}
			_ = stream.CloseSend() // the stream reports the same error
		}()
		receive(stream, func(message *Resp, err error) bool {
			if failed := (requestError{}); err != nil && errors.As(context.Cause(ctx), &failed) {
				err = failed.error
			}
			return yield(message, err)
		})
	}
}

// requestError is an error of the caller's own sequence of requests.
type requestError struct{ error }

// sendRequests sends requests until they or the stream end. It returns the error of the
// requests. The stream's own error comes with the response.
func sendRequests[T any](stream Sender[T], requests iter.Seq2[*T, error]) error {
	if requests == nil {
		return nil
	}
	for request, err := range requests {
		if err != nil {
			return err
		}
		if stream.Send(request) != nil {
			return nil
		}
	}
	return nil
}

// Map converts the messages of a sequence to another type, for code between two protocol
// versions. Errors pass through unchanged.
func Map[From, To any](messages iter.Seq2[*From, error], convert func(message *From) *To) iter.Seq2[*To, error] {
	return func(yield func(*To, error) bool) {
		for message, err := range messages {
			var converted *To
			if err == nil {
				converted = convert(message)
			}
			if !yield(converted, err) {
				return
			}
		}
	}
}
