package probe

import (
	"errors"
	"io"

	"google.golang.org/grpc"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// Reply returns Chat's answer to a text.
func Reply(text string) string { return "you said " + text }

// Count sends the numbers from 1, then ends or fails.
func (s *Server) Count(request *conformancev1.CountRequest, stream grpc.ServerStreamingServer[conformancev1.CountResponse]) error {
	for number := range request.GetTo() {
		if err := stream.Send(&conformancev1.CountResponse{Number: number + 1}); err != nil {
			s.interrupted.Add(1)
			return err
		}
	}
	return failure(request.GetCode(), "counted to the end")
}

// Sum returns the sum of the received numbers.
func (s *Server) Sum(stream grpc.ClientStreamingServer[conformancev1.SumRequest, conformancev1.SumResponse]) error {
	answer := &conformancev1.SumResponse{}
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(answer)
		}
		if err != nil {
			return err
		}
		answer.Total += request.GetNumber()
		answer.Numbers++
	}
}

// Chat answers each message before it reads the next.
func (s *Server) Chat(stream grpc.BidiStreamingServer[conformancev1.ChatRequest, conformancev1.ChatResponse]) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&conformancev1.ChatResponse{Text: Reply(request.GetText())}); err != nil {
			return err
		}
	}
}
