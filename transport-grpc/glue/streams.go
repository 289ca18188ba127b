package glue

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Sender is the sending side of a stream that generated gRPC code has made.
type Sender[T any] interface{ Send(message *T) error }

// Receiver is the receiving side of a stream that generated gRPC code has made.
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

// SendAll sends what an implementation returned, in a server, and returns its error for
// gRPC. It returns the error of Send when the caller has gone.
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

// receive yields messages until the stream or the loop over them ends. It returns whether
// the stream has.
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
// loop over them is a call of its own. It begins with the loop and ends with it.
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

// Send sends all requests of a method with a stream of them, in a client, and returns the
// response. An error among the requests cancels the call and is returned. The other side
// may answer before the end of the requests; then no more are taken.
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

// Exchange is a call of a method with streams both ways, in a client. Each loop over the
// responses is a call of its own, which ends with the loop. The requests are taken in a
// goroutine, which ends at the next request after the end of the call: a sequence that
// waits for something else ends its wait itself, as with the caller's context. An error
// among the requests cancels the call and is the last of the responses.
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
			_ = stream.CloseSend() // its error is that of the stream
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

// sendRequests sends requests to their end, or to the end of the stream, whose error comes
// with the response. It returns the error of the requests.
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

// Map returns the messages of a sequence as another type, for code between two protocol
// versions. Errors stay.
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
