package transportgrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// controllerService is how a host ends the plugin.
type controllerService struct {
	pluginpb.UnimplementedGRPCControllerServer

	server *server
}

// Shutdown answers when the plugin has finished everything.
func (c *controllerService) Shutdown(context.Context, *pluginpb.Empty) (*pluginpb.Empty, error) {
	c.server.link.Quit()
	return &pluginpb.Empty{}, nil
}

// brokerService is the stream on which host and plugin arrange connections.
type brokerService struct {
	pluginpb.UnimplementedGRPCBrokerServer

	server *server
}

func (b *brokerService) StartStream(stream grpc.BidiStreamingServer[pluginpb.ConnInfo, pluginpb.ConnInfo]) error {
	ex := b.server.exchangeOf(stream.Context())
	if ex == nil {
		return status.Error(codes.FailedPrecondition, "the broker is a matter of the main connection")
	}
	if b.server.multiplex {
		b.server.broker.use(ex)
		defer b.server.broker.drop(ex)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(b.server.leaving, cancel)()
	if err := ex.Run(ctx, infoStream{stream}); b.server.leaving.Err() == nil {
		return err
	}
	return nil
}

// stdioService sends what the plugin prints.
type stdioService struct {
	pluginpb.UnimplementedGRPCStdioServer

	server *server
}

func (s *stdioService) StreamStdio(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pluginpb.StdioData]) error {
	return s.server.output.send(stream.Context(), stream.Send)
}

var _ exchange.Stream = infoStream{}
