package greeter

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	greeterv2 "github.com/jackfield-go/jackfield/examples/proto/greeter/v2"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

func register2(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, impl Greeter) error {
	greeterv2.RegisterGreeterServiceServer(r, &server2{impl: impl})
	return nil
}

func newClient2(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (Greeter, error) {
	return &client2{greeterv2.NewGreeterServiceClient(conn)}, nil
}

type server2 struct {
	greeterv2.UnimplementedGreeterServiceServer

	impl Greeter
}

func (s *server2) Greet(ctx context.Context, req *greeterv2.GreetRequest) (*greeterv2.GreetResponse, error) {
	greeting, err := s.impl.Greet(ctx, req.GetName(), req.GetLanguage())
	switch {
	case errors.Is(err, ErrLanguage):
		return nil, status.Error(codes.InvalidArgument, err.Error())
	case err != nil:
		return nil, err
	}
	return &greeterv2.GreetResponse{Greeting: greeting}, nil
}

type client2 struct {
	grpc greeterv2.GreeterServiceClient
}

func (c *client2) Greet(ctx context.Context, name, language string) (string, error) {
	resp, err := c.grpc.Greet(ctx, &greeterv2.GreetRequest{Name: name, Language: language})
	if status.Code(err) == codes.InvalidArgument {
		return "", ErrLanguage
	}
	return resp.GetGreeting(), err
}
