package tally

import (
	"context"
	"crypto/rand"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tallyv1 "github.com/jackfield-go/jackfield/examples/proto/tally/v1"
)

// instanceKey is the key of an instance's ID in the metadata of a call.
const instanceKey = "tally-instance"

// maxInstances bounds the instances of a plugin: its host might forget to close them.
const maxInstances = 1000

// client is the Opener in the host.
type client struct{ grpc tallyv1.TallyServiceClient }

func (c *client) Open(ctx context.Context, start int64) (Tally, error) {
	resp, err := c.grpc.Open(ctx, &tallyv1.OpenRequest{Start: start})
	if err != nil {
		return nil, err
	}
	return &instance{c.grpc, resp.GetInstance()}, nil
}

// instance is a Tally in the host.
type instance struct {
	grpc tallyv1.TallyServiceClient
	id   string
}

// call puts the instance's ID into the metadata of a call.
func (i *instance) call(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, instanceKey, i.id)
}

func (i *instance) Add(ctx context.Context, amount int64) (int64, error) {
	resp, err := i.grpc.Add(i.call(ctx), &tallyv1.AddRequest{Amount: amount})
	if status.Code(err) == codes.NotFound {
		return 0, ErrUnknown
	}
	return resp.GetSum(), err
}

func (i *instance) Close(ctx context.Context) error {
	_, err := i.grpc.Close(i.call(ctx), &tallyv1.CloseRequest{})
	return err
}

// server receives the calls for all instances, in the plugin.
type server struct {
	tallyv1.UnimplementedTallyServiceServer

	impl Opener

	mu   sync.Mutex
	open map[string]Tally
}

func (s *server) Open(ctx context.Context, req *tallyv1.OpenRequest) (*tallyv1.OpenResponse, error) {
	made, err := s.impl.Open(ctx, req.GetStart())
	if err != nil {
		return nil, err
	}
	id := rand.Text() // an ID of an earlier process is never another instance here
	s.mu.Lock()
	full := len(s.open) >= maxInstances
	if !full {
		s.open[id] = made
	}
	s.mu.Unlock()
	if full {
		_ = made.Close(ctx)
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d instances already: close some", maxInstances)
	}
	return &tallyv1.OpenResponse{Instance: id}, nil
}

// called returns the ID in the metadata of a call.
func called(ctx context.Context) string {
	if ids := metadata.ValueFromIncomingContext(ctx, instanceKey); len(ids) == 1 {
		return ids[0]
	}
	return ""
}

func (s *server) Add(ctx context.Context, req *tallyv1.AddRequest) (*tallyv1.AddResponse, error) {
	s.mu.Lock()
	tally, ok := s.open[called(ctx)]
	s.mu.Unlock()
	if !ok {
		return nil, status.Error(codes.NotFound, ErrUnknown.Error())
	}
	sum, err := tally.Add(ctx, req.GetAmount())
	if err != nil {
		return nil, err
	}
	return &tallyv1.AddResponse{Sum: sum}, nil
}

func (s *server) Close(ctx context.Context, _ *tallyv1.CloseRequest) (*tallyv1.CloseResponse, error) {
	s.mu.Lock()
	id := called(ctx)
	tally, ok := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	if ok {
		if err := tally.Close(ctx); err != nil {
			return nil, err
		}
	}
	return &tallyv1.CloseResponse{}, nil
}
