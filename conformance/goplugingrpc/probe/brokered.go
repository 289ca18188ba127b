package probe

import (
	"context"
	"fmt"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// Callback dials the host at an ID and asks the HostService there.
func (s *Server) Callback(ctx context.Context, request *conformancev1.CallbackRequest) (*conformancev1.CallbackResponse, error) {
	conn, err := s.broker.Dial(ctx, request.GetBrokerId())
	if err != nil {
		return nil, fmt.Errorf("dial the host's broker ID %d: %w", request.GetBrokerId(), err)
	}
	defer func() { _ = conn.Close() }()
	host := conformancev1.NewHostServiceClient(conn)
	question := &conformancev1.AnswerRequest{
		Question: request.GetQuestion(),
		Payload:  Pattern(int(request.GetSize())),
	}
	var answer *conformancev1.AnswerResponse
	for range max(request.GetTimes(), 1) {
		if answer, err = host.Answer(ctx, question); err != nil {
			return nil, err // keeps its code
		}
		if got := len(answer.GetPayload()); got != int(request.GetSize()) {
			return nil, fmt.Errorf("%d bytes returned, expected %d", got, request.GetSize())
		}
	}
	return &conformancev1.CallbackResponse{Answer: answer.GetAnswer(), AnsweredBy: answer.GetBrokerId()}, nil
}

// Offer serves a HostService on the requested number of broker IDs and returns the IDs:
// once they can be dialled, or earlier if requested.
func (s *Server) Offer(ctx context.Context, request *conformancev1.OfferRequest) (*conformancev1.OfferResponse, error) {
	answer := &conformancev1.OfferResponse{}
	for range request.GetCount() {
		// The server outlives the call.
		serving, err := Serve(context.WithoutCancel(ctx), s.broker, request.GetEarly(), Answerer(PluginName))
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.offers[serving.ID] = serving
		s.mu.Unlock()
		answer.BrokerIds = append(answer.BrokerIds, serving.ID)
	}
	return answer, nil
}

// Withdraw ends Offer's servers on these IDs, and waits for their end.
func (s *Server) Withdraw(_ context.Context, request *conformancev1.WithdrawRequest) (*conformancev1.WithdrawResponse, error) {
	for _, id := range request.GetBrokerIds() {
		s.mu.Lock()
		serving := s.offers[id]
		delete(s.offers, id)
		s.mu.Unlock()
		if serving == nil {
			return nil, fmt.Errorf("no offer at the broker ID %d", id)
		}
		if err := serving.Stop(); err != nil {
			return nil, fmt.Errorf("the server at the broker ID %d: %w", id, err)
		}
	}
	return &conformancev1.WithdrawResponse{}, nil
}
