package counter

import (
	"context"
	"io"

	counterv1 "github.com/jackfield-go/jackfield/examples/proto/counter/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// client is the Counter in the host.
type client struct {
	grpc   counterv1.CounterServiceClient
	broker *transportgrpc.Broker
}

func (c *client) Add(ctx context.Context, key string, n int64, adder Adder) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the plugin can use the adder until this call returns
	id, err := transportgrpc.Lend[counterv1.AdderServiceServer](
		ctx, c.broker, counterv1.RegisterAdderServiceServer, &adderServer{impl: adder})
	if err != nil {
		return 0, err
	}
	resp, err := c.grpc.Add(ctx, &counterv1.AddRequest{Key: key, Amount: n, AdderId: id})
	return resp.GetSum(), err
}

func (c *client) CountWords(ctx context.Context, r io.Reader) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	id, err := c.broker.LendReader(ctx, r)
	if err != nil {
		return 0, err
	}
	resp, err := c.grpc.CountWords(ctx, &counterv1.CountWordsRequest{TextId: id})
	return resp.GetWords(), err
}

// server receives the client's calls, in the plugin.
type server struct {
	counterv1.UnimplementedCounterServiceServer

	impl   Counter
	broker *transportgrpc.Broker
}

func (s *server) Add(ctx context.Context, req *counterv1.AddRequest) (*counterv1.AddResponse, error) {
	adder, err := transportgrpc.Borrow(ctx, s.broker, req.GetAdderId(), counterv1.NewAdderServiceClient)
	if err != nil {
		return nil, err
	}
	sum, err := s.impl.Add(ctx, req.GetKey(), req.GetAmount(), &adderClient{adder})
	if err != nil {
		return nil, err
	}
	return &counterv1.AddResponse{Sum: sum}, nil
}

func (s *server) CountWords(
	ctx context.Context, req *counterv1.CountWordsRequest,
) (*counterv1.CountWordsResponse, error) {
	r, err := s.broker.BorrowReader(ctx, req.GetTextId())
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	words, err := s.impl.CountWords(ctx, r)
	if err != nil {
		return nil, err
	}
	return &counterv1.CountWordsResponse{Words: words}, nil
}

// adderServer receives the plugin's calls, in the host.
type adderServer struct {
	counterv1.UnimplementedAdderServiceServer

	impl Adder
}

func (s *adderServer) Sum(ctx context.Context, req *counterv1.SumRequest) (*counterv1.SumResponse, error) {
	sum, err := s.impl.Sum(ctx, req.GetA(), req.GetB())
	if err != nil {
		return nil, err
	}
	return &counterv1.SumResponse{Sum: sum}, nil
}

// adderClient is the Adder in the plugin.
type adderClient struct{ grpc counterv1.AdderServiceClient }

func (c *adderClient) Sum(ctx context.Context, a, b int64) (int64, error) {
	resp, err := c.grpc.Sum(ctx, &counterv1.SumRequest{A: a, B: b})
	return resp.GetSum(), err
}
