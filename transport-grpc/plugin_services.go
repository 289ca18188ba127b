package transportgrpc

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

// healthService is the plugin's name in its health service.
const healthService = "plugin"

// register puts the protocol's services and the application's on the server.
func (s *server) register() error {
	healthy := health.NewServer()
	healthy.SetServingStatus(healthService, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(s.grpc, healthy)
	pluginpb.RegisterGRPCBrokerServer(s.grpc, &brokerService{server: s})
	pluginpb.RegisterGRPCControllerServer(s.grpc, &controllerService{server: s})
	pluginpb.RegisterGRPCStdioServer(s.grpc, &stdioService{server: s})
	guard := &registrar{server: s.grpc.Server}
	if !s.transport.options.noReflection {
		registerReflection(guard)
	}
	return s.transport.register(s.broker, guard, s.link.Implements)
}

// registerReflection lets tools list the services of the server and their messages. Go
// registers the protocol's own messages under other names, so the resolver knows the
// names of the wire.
func registerReflection(r *registrar) {
	options := reflection.ServerOptions{Services: r.server, DescriptorResolver: pluginreflect.Resolver(nil)}
	reflectionv1.RegisterServerReflectionServer(r, reflection.NewServerV1(options))
	reflectionv1alpha.RegisterServerReflectionServer(r, reflection.NewServer(options))
}

// isOurs reports whether a method is one of the protocol's own. The application
// may have services of a like name: the packages are no property of anybody.
func isOurs(method string) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	switch service {
	case pluginpb.GRPCBroker_ServiceDesc.ServiceName, pluginpb.GRPCController_ServiceDesc.ServiceName,
		pluginpb.GRPCStdio_ServiceDesc.ServiceName, grpc_health_v1.Health_ServiceDesc.ServiceName, lendingService:
		return true
	default:
		return isReflection(service)
	}
}

// isReflection reports whether a service is a version of reflection.
func isReflection(service string) bool {
	return service == reflectionv1.ServerReflection_ServiceDesc.ServiceName ||
		service == reflectionv1alpha.ServerReflection_ServiceDesc.ServiceName
}

// controllerService lets a host end the plugin.
type controllerService struct {
	pluginpb.UnimplementedGRPCControllerServer

	server *server
}

// Shutdown answers when the plugin has finished everything.
func (c *controllerService) Shutdown(context.Context, *pluginpb.Empty) (*pluginpb.Empty, error) {
	c.server.link.Quit()
	return &pluginpb.Empty{}, nil
}

// brokerService has the stream for arranging connections between host and plugin.
type brokerService struct {
	pluginpb.UnimplementedGRPCBrokerServer

	server *server
}

func (b *brokerService) StartStream(stream grpc.BidiStreamingServer[pluginpb.ConnInfo, pluginpb.ConnInfo]) error {
	ex := b.server.exchangeOf(stream.Context())
	if ex == nil {
		return status.Error(codes.FailedPrecondition, "the broker is served on the main connection only")
	}
	b.server.broker.meet(ex, abilities{
		lends:    hasMetadata(stream.Context(), lendingKey),
		services: hasMetadata(stream.Context(), hostServicesKey),
	})
	if err := sendResumes(stream); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(b.server.leaving, cancel)()
	if err := ex.Run(ctx, infoStream{stream}); b.server.leaving.Err() == nil {
		return err
	}
	return nil
}

// stdioService sends the plugin's output.
type stdioService struct {
	pluginpb.UnimplementedGRPCStdioServer

	server *server
}

func (s *stdioService) StreamStdio(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pluginpb.StdioData]) error {
	return s.server.output.send(stream.Context(), stream.Send)
}
