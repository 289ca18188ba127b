package transportgrpc

import (
	"context"
	"errors"
	"fmt"
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
// When it returns, the ID can be borrowed. If both sides are of this package, lending makes no
// socket and sends nothing, and the calls to all lent services share a connection. Any other
// library can dial the ID. A nil impl is an error.
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
// method of a plugin, until the call ends. If both sides are of this package, the first call
// connects; a call to a service lent no longer is broker.ErrUnclaimed.
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
	id, server, err := b.lendShared(ctx, register)
	if err != nil || id != 0 {
		return id, err
	}
	id = b.NextID()
	serve, err := b.prepared(ctx, id, server)
	if err != nil {
		return 0, err
	}
	go func() { _ = serve() }() // it ends with ctx, or the plugin
	return id, nil
}

// lendShared lends without cost. The ID is 0 if the other side or the services need a server
// of their own, the returned one.
func (b *Broker) lendShared(ctx context.Context, register func(grpc.ServiceRegistrar)) (uint32, *grpcServer, error) {
	var own *grpcServer
	collect := func() *grpc.Server {
		own = newGRPCServer(b.options.serverOptions(b.security, b.calls, 0)...)
		return own.Server
	}
	fail := func(err error) (uint32, *grpcServer, error) {
		if own != nil {
			own.Stop()
		}
		return 0, nil, fmt.Errorf("lend: %w", err)
	}
	guard := &registrar{collect: collect}
	register(guard)
	if guard.err != nil {
		return fail(guard.err)
	}
	ex, p, err := b.partner(ctx, false)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		_, err = b.security.Serving()
	}
	if err != nil {
		return fail(err)
	}
	if own == nil && p != nil && p.lends {
		if id, err := b.lenderOf(ex).lend(ctx, guard.services); err != nil {
			return fail(err)
		} else if id != 0 {
			return id, nil, nil
		}
	}
	guard.unwrap()
	return 0, own, nil
}

// borrow returns a client connection for an ID for as long as ctx lives.
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
