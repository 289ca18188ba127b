package transportgrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
)

// inFlight are the interceptors that count the application's calls, and cut them
// off. The protocol's own calls are not counted.
type inFlight struct{ calls *core.Calls }

// errLeaving answers calls that begin after those in flight have finished, and
// errCutOff those that took too long.
var (
	errLeaving = status.Error(codes.Unavailable, "the plugin is leaving")
	errCutOff  = status.Error(codes.Unavailable, "the plugin is leaving, and does not wait for the call any longer")
)

// unary runs a method, whose context ends when calls are cut off.
func (f inFlight) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if isOurs(info.FullMethod) {
		return handle(ctx, req)
	}
	if !f.calls.Begin() {
		return nil, errLeaving
	}
	defer f.calls.End()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(f.calls.Context(), cancel)()
	answer, err := handle(ctx, req)
	if err != nil && f.calls.Context().Err() != nil {
		err = errCutOff
	}
	return answer, err
}

// stream runs a method beside itself. When calls are cut off it returns, and gRPC
// ends the stream and its context: the method may be waiting for a message.
func (f inFlight) stream(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if isOurs(info.FullMethod) {
		return handle(impl, stream)
	}
	if !f.calls.Begin() {
		return errLeaving
	}
	returned := make(chan error, 1)
	go func() {
		defer f.calls.End()
		returned <- handle(impl, stream)
	}()
	select {
	case err := <-returned:
		return err
	case <-f.calls.Context().Done():
		return errCutOff
	}
}
