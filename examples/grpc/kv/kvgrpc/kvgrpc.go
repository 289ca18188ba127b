// Package kvgrpc carries a store over gRPC, with the messages of
// examples/proto/kv/v1/kv.proto. Plugins in other languages use the same
// messages.
package kvgrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Transport carries the store.
var Transport = transportgrpc.New(transportgrpc.Carry(kv.Plugin, register, newClient))

// register runs in the plugin: it registers the service called by the host.
func register(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, impl kv.Store) error {
	kvv1.RegisterStoreServiceServer(r, &server{impl: impl})
	return nil
}

// newClient runs in the host: the client is the interface again.
func newClient(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (kv.Store, error) {
	return &client{kvv1.NewStoreServiceClient(conn)}, nil
}

type server struct {
	kvv1.UnimplementedStoreServiceServer

	impl kv.Store
}

func (s *server) Put(ctx context.Context, req *kvv1.PutRequest) (*kvv1.PutResponse, error) {
	if err := s.impl.Put(ctx, req.GetKey(), req.GetValue()); err != nil {
		return nil, err
	}
	return &kvv1.PutResponse{}, nil
}

// Get returns a status for ErrNotFound, since callers check for it.
func (s *server) Get(ctx context.Context, req *kvv1.GetRequest) (*kvv1.GetResponse, error) {
	value, err := s.impl.Get(ctx, req.GetKey())
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return nil, status.Error(codes.NotFound, err.Error())
	case err != nil:
		return nil, err
	}
	return &kvv1.GetResponse{Value: value}, nil
}

type client struct{ grpc kvv1.StoreServiceClient }

func (c *client) Put(ctx context.Context, key string, value []byte) error {
	_, err := c.grpc.Put(ctx, &kvv1.PutRequest{Key: key, Value: value})
	return err
}

// Get converts the status back to the error.
func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	resp, err := c.grpc.Get(ctx, &kvv1.GetRequest{Key: key})
	if status.Code(err) == codes.NotFound {
		return nil, kv.ErrNotFound
	}
	return resp.GetValue(), err
}
