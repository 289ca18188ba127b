// Package kvnetrpc carries a store over net/rpc.
package kvnetrpc

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Transport carries the store.
var Transport = netrpc.New(netrpc.Carry(kv.Plugin, newServer, newClient))

// newServer runs in the plugin: the host can call the methods of the server.
func newServer(_ *netrpc.Broker, impl kv.Store) (any, error) { return &server{impl}, nil }

// newClient runs in the host: the client is the interface again.
func newClient(_ *netrpc.Broker, c *netrpc.Client) (kv.Store, error) { return &client{c}, nil }

type putArgs struct {
	Key   string
	Value []byte
}

// getReply has a field for ErrNotFound, since callers check for it: net/rpc has
// only text for errors.
type getReply struct {
	Value   []byte
	Missing bool
}

type server struct{ impl kv.Store }

func (s *server) Put(ctx context.Context, args putArgs, _ *struct{}) error {
	return s.impl.Put(ctx, args.Key, args.Value)
}

func (s *server) Get(ctx context.Context, key string, reply *getReply) error {
	value, err := s.impl.Get(ctx, key)
	if errors.Is(err, kv.ErrNotFound) {
		reply.Missing = true
		return nil
	}
	reply.Value = value
	return err
}

type client struct{ rpc *netrpc.Client }

func (c *client) Put(ctx context.Context, key string, value []byte) error {
	return c.rpc.Call(ctx, "Put", putArgs{key, value}, nil)
}

func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	var reply getReply
	if err := c.rpc.Call(ctx, "Get", key, &reply); err != nil {
		return nil, err
	}
	if reply.Missing {
		return nil, kv.ErrNotFound
	}
	return reply.Value, nil
}
