package probe

import (
	"context"

	"google.golang.org/grpc"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// These are the names of the two sides on brokered connections.
const (
	HostName   = "host"
	PluginName = "plugin"
)

// Answer returns the answer of the named side to a question.
func Answer(name, question string) string { return name + " answers " + question }

// answerer is the HostService at one broker ID.
type answerer struct {
	conformancev1.UnimplementedHostServiceServer

	name string
	id   uint32
}

// Answerer returns a function that registers the HostService of the host or the plugin, for
// [Serve].
func Answerer(name string) func(grpc.ServiceRegistrar, uint32) {
	return func(r grpc.ServiceRegistrar, id uint32) {
		conformancev1.RegisterHostServiceServer(r, &answerer{name: name, id: id})
	}
}

// Answer answers, and returns the payload.
func (a *answerer) Answer(_ context.Context, request *conformancev1.AnswerRequest) (*conformancev1.AnswerResponse, error) {
	return &conformancev1.AnswerResponse{
		Answer:   Answer(a.name, request.GetQuestion()),
		BrokerId: a.id,
		Payload:  request.GetPayload(),
	}, nil
}
