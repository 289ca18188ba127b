package transportgrpc

import (
	"context"
	"runtime"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// serverOptions are those of every server of this side: of brokered connections
// too. calls counts the calls; nil in a host.
func (o *options) serverOptions(security *core.TLS, calls *core.Calls) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.Creds(transportCredentials(security)),
		grpc.MaxRecvMsgSize(o.maxMessage),
		grpc.MaxSendMsgSize(o.maxMessage),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connectionWindow),
		grpc.ForceServerCodecV2(o.codec),
		grpc.ReadBufferSize(readBuffer),
		grpc.ConnectionTimeout(o.connecting),
		grpc.WaitForHandlers(false), // a handler that does not heed its context must not keep the plugin
	}
	if calls != nil {
		f := inFlight{calls}
		opts = append(opts, grpc.ChainUnaryInterceptor(f.unary), grpc.ChainStreamInterceptor(f.stream))
	}
	return append(opts, o.server...)
}

// permanentStreams are those that a host has open all the time: the plugin's
// output and the broker's.
const permanentStreams = 2

// streamWorkers lets goroutines with grown stacks serve one call after the other:
// growing a stack is a good part of what a short call costs. Each permanent
// stream keeps one of them.
func streamWorkers() grpc.ServerOption {
	return grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0) + permanentStreams))
}

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

// isOurs reports whether a method is one of the protocol's own. The application
// may have services of a like name: the packages are no property of anybody.
func isOurs(method string) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	switch service {
	case pluginpb.GRPCBroker_ServiceDesc.ServiceName, pluginpb.GRPCController_ServiceDesc.ServiceName,
		pluginpb.GRPCStdio_ServiceDesc.ServiceName, grpc_health_v1.Health_ServiceDesc.ServiceName:
		return true
	default:
		return isReflection(service)
	}
}

// isReflection reports whether a service is the one by which tools look in.
func isReflection(service string) bool {
	return service == reflectionv1.ServerReflection_ServiceDesc.ServiceName ||
		service == reflectionv1alpha.ServerReflection_ServiceDesc.ServiceName
}
