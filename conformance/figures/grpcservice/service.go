// Package grpcservice is what the measured gRPC plugins serve, the same on both
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

// Names that the hosts and the plugins agree on.
const (
	CookieKey   = service.CookieKey
	CookieValue = service.CookieValue
	Name        = service.Name
)

// Borrow makes a client of a brokered number, with either library's broker.
type Borrow func(ctx context.Context, id uint32) (conn grpc.ClientConnInterface, done func(), err error)

// Server is what the plugins serve.
type Server struct {
	probe.UnimplementedProbeServiceServer

	Borrow Borrow
}

// Echo answers with its argument.
func (*Server) Echo(_ context.Context, req *probe.EchoRequest) (*probe.EchoResponse, error) {
	return &probe.EchoResponse{Payload: req.GetPayload()}, nil
}

// Callback opens a brokered connection to the host and calls it once.
func (s *Server) Callback(ctx context.Context, req *probe.CallbackRequest) (*probe.CallbackResponse, error) {
	conn, done, err := s.Borrow(ctx, req.GetBrokerId())
	if err != nil {
		return nil, err
	}
	defer done()
	res, err := probe.NewHostServiceClient(conn).Answer(ctx, &probe.AnswerRequest{Question: req.GetQuestion()})
	return &probe.CallbackResponse{Answer: res.GetAnswer()}, err
}

// PrintSize is how much one print writes, in bytes.
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

// Host is what the hosts serve on brokered connections.
type Host struct {
	probe.UnimplementedHostServiceServer
}

// Answer answers with the question.
func (*Host) Answer(_ context.Context, req *probe.AnswerRequest) (*probe.AnswerResponse, error) {
	return &probe.AnswerResponse{Answer: req.GetQuestion()}, nil
}
