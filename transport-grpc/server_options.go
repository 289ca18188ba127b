package transportgrpc

import (
	"context"
	"runtime"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// serverOptions are those of every server of this side: of brokered connections
// too. f counts the calls; nil in a host.
func (o *options) serverOptions(security *core.TLS, f *flight) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.Creds(serverCredentials(security)),
		grpc.MaxRecvMsgSize(o.maxMessage),
		grpc.MaxSendMsgSize(o.maxMessage),
		grpc.InitialWindowSize(streamWindow),
		grpc.InitialConnWindowSize(connectionWindow),
		grpc.ForceServerCodecV2(o.codec),
		grpc.ReadBufferSize(readBuffer),
		grpc.ConnectionTimeout(o.connecting),
		grpc.WaitForHandlers(false), // a handler that does not heed its context must not keep the plugin
	}
	if f != nil {
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

// flight counts the calls that an orderly end waits for: the application's, not
// the protocol's own.
type flight struct {
	mu    sync.Mutex
	calls int
	idle  chan struct{} // closed when calls gets to 0; nil while nobody waits
}

func (f *flight) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if isOurs(info.FullMethod) {
		return handle(ctx, req)
	}
	f.begin()
	defer f.end()
	return handle(ctx, req)
}

func (f *flight) stream(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if isOurs(info.FullMethod) {
		return handle(impl, stream)
	}
	f.begin()
	defer f.end()
	return handle(impl, stream)
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

func (f *flight) begin() {
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
}

func (f *flight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls--
	if f.calls == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// finish returns when no call is in flight, or with ctx's error.
func (f *flight) finish(ctx context.Context) error {
	f.mu.Lock()
	if f.calls == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
