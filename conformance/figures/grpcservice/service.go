// Package grpcservice is the service of the measured gRPC plugins, the same on both
// libraries.
package grpcservice

import (
	"bytes"
	"context"
	"os"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// These names are common to hosts and plugins.
const (
	CookieKey   = service.CookieKey
	CookieValue = service.CookieValue
	Name        = service.Name
)

// Borrow makes a client of a brokered ID, with either library's broker.
type Borrow func(ctx context.Context, id uint32) (conn grpc.ClientConnInterface, done func(), err error)

// Server is the plugins' service.
type Server struct {
	probe.UnimplementedProbeServiceServer

	Borrow Borrow
}

// Echo returns its argument.
func (*Server) Echo(_ context.Context, req *probe.EchoRequest) (*probe.EchoResponse, error) {
	return &probe.EchoResponse{Payload: req.GetPayload()}, nil
}

// Stay is a question that keeps the borrowed connection until the plugin ends.
const Stay = "stay"

// Callback opens a brokered connection to the host and calls it once. With the ID 0 it does
// neither, and without a question it does not call.
func (s *Server) Callback(ctx context.Context, req *probe.CallbackRequest) (*probe.CallbackResponse, error) {
	if req.GetBrokerId() == 0 {
		return &probe.CallbackResponse{}, nil
	}
	if req.GetQuestion() == Stay {
		ctx = context.WithoutCancel(ctx)
	}
	conn, done, err := s.Borrow(ctx, req.GetBrokerId())
	if err != nil {
		return nil, err
	}
	defer done()
	if req.GetQuestion() == "" {
		return &probe.CallbackResponse{}, nil
	}
	res, err := probe.NewHostServiceClient(conn).Answer(ctx, &probe.AnswerRequest{Question: req.GetQuestion()})
	return &probe.CallbackResponse{Answer: res.GetAnswer()}, err
}

// PrintSize is the size of one print, in bytes.
const PrintSize = 64 << 10

// Print writes to stdout, PrintSize bytes at a time.
func (*Server) Print(_ context.Context, req *probe.PrintRequest) (*probe.PrintResponse, error) {
	data := bytes.Repeat([]byte{'x'}, PrintSize)
	for range req.GetTimes() {
		if _, err := os.Stdout.Write(data); err != nil {
			return nil, err
		}
	}
	return &probe.PrintResponse{}, nil
}

// Host is the hosts' service on brokered connections.
type Host struct {
	probe.UnimplementedHostServiceServer
}

// Answer returns the question.
func (*Host) Answer(_ context.Context, req *probe.AnswerRequest) (*probe.AnswerResponse, error) {
	return &probe.AnswerResponse{Answer: req.GetQuestion()}, nil
}
