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

// Shutdown answers when everything is finished. The server ends once the answer
// is on its way, which gets half as long as the shutdown timeout at most.
func (c *controllerService) Shutdown(context.Context, *pluginpb.Empty) (*pluginpb.Empty, error) {
	s := c.server
	ctx, cancel := context.WithTimeout(s.ctx, s.link.ShutdownTimeout)
	defer cancel()
	if err := s.leave(ctx); err != nil {
		s.link.Logger.Debug("the plugin leaves before everything is finished", "error", err)
	}
	s.run(func() {
		ctx, cancel := context.WithTimeout(s.ctx, s.link.ShutdownTimeout/2)
		defer cancel()
		s.endGracefully(ctx)
	})
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
