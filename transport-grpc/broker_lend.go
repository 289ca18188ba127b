package transportgrpc

import (
	"context"
	"errors"
	"reflect"

	"google.golang.org/grpc"
)

// isNil reports whether v is a nil interface or pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// Lend serves impl to the other side until ctx ends, and returns an ID for a message to
// that side. Commonly ctx is the context of the call with the message, canceled after
// the call:
//
//	ctx, cancel := context.WithCancel(ctx)
//	defer cancel()
//	id, err := transportgrpc.Lend(ctx, broker, pb.RegisterAdderServer, adder)
//	…
//	client.Put(ctx, &pb.PutRequest{Key: key, Adder: id})
//
// When it returns, the ID can be dialled, by any library on the other side. A nil impl
// is an error.
func Lend[S any](
	ctx context.Context, b *Broker, register func(r grpc.ServiceRegistrar, impl S), impl S,
) (uint32, error) {
	if isNil(impl) {
		return 0, errors.New("nothing to serve: the registered impl is nil")
	}
	if register == nil {
		return 0, errNoRegister
	}
	return b.lend(ctx, func(r grpc.ServiceRegistrar) { register(r, impl) })
}

// Borrow returns a client of the other side's service at id, until ctx ends: in a
// method of a plugin, until the call ends.
//
//	func (s *server) Put(ctx context.Context, req *pb.PutRequest) (*pb.PutResponse, error) {
//		adder, err := transportgrpc.Borrow(ctx, s.broker, req.GetAdder(), pb.NewAdderClient)
func Borrow[C any](
	ctx context.Context, b *Broker, id uint32, client func(conn grpc.ClientConnInterface) C,
) (C, error) {
	var none C
	if client == nil {
		return none, errNoClient
	}
	conn, err := b.borrow(ctx, id)
	if err != nil {
		return none, err
	}
	return client(conn), nil
}

// lend serves the services registered by register, at a new ID, until ctx ends.
func (b *Broker) lend(ctx context.Context, register func(grpc.ServiceRegistrar)) (uint32, error) {
	id := b.NextID()
	serve, err := b.prepare(ctx, id, register, nil)
	if err != nil {
		return 0, err
	}
	go func() { _ = serve() }() // it ends with ctx, or the plugin
	return id, nil
}

// borrow dials an ID for as long as ctx lives.
func (b *Broker) borrow(ctx context.Context, id uint32) (*Conn, error) {
	if id == 0 {
		return nil, errNothingLent
	}
	conn, err := b.Client(ctx, id)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, nil
}

// errNothingLent is the error of borrowing the ID 0.
var errNothingLent = errors.New("the other side lent nothing here: the ID is 0")
