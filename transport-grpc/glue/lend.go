package glue

import (
	"context"
	"errors"
	"io"
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// errNoBroker is the error for lending over a connection without a plugin's broker.
var errNoBroker = errors.New("nothing can be lent here: the adapter was made without a broker")

// Copy returns a copy of a request, to set IDs in. Nil becomes an empty request.
func Copy[M proto.Message](request M) M {
	if !request.ProtoReflect().IsValid() {
		request, _ = request.ProtoReflect().New().Interface().(M)
		return request
	}
	request, _ = proto.Clone(request).(M)
	return request
}

// Lend serves impl until ctx ends, and returns its broker ID: 0 for a nil impl.
func Lend[S any](
	ctx context.Context, b *transportgrpc.Broker,
	register func(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl S) error, impl S,
) (uint32, error) {
	switch {
	case isNil(impl):
		return 0, nil
	case b == nil:
		return 0, errNoBroker
	}
	var failed error
	id, err := transportgrpc.Lend(ctx, b, func(r grpc.ServiceRegistrar, impl S) { failed = register(b, r, impl) }, impl)
	return id, errors.Join(failed, err)
}

// Borrow returns a client of the other side's service at id until ctx ends: nil for the ID 0.
func Borrow[C any](
	ctx context.Context, b *transportgrpc.Broker, id uint32,
	client func(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (C, error),
) (C, error) {
	var none C
	switch {
	case id == 0:
		return none, nil
	case b == nil:
		return none, errNoBroker
	}
	var failed error
	borrowed, err := transportgrpc.Borrow(ctx, b, id, func(conn grpc.ClientConnInterface) C {
		var made C
		made, failed = client(b, conn)
		return made
	})
	return borrowed, errors.Join(failed, err)
}

// LendReader lends a reader as [Lend] lends a service.
func LendReader(ctx context.Context, b *transportgrpc.Broker, r io.Reader) (uint32, error) {
	switch {
	case isNil(r):
		return 0, nil
	case b == nil:
		return 0, errNoBroker
	}
	return b.LendReader(ctx, r)
}

// LendWriter lends a writer as [Lend] lends a service.
func LendWriter(ctx context.Context, b *transportgrpc.Broker, w io.Writer) (uint32, error) {
	switch {
	case isNil(w):
		return 0, nil
	case b == nil:
		return 0, errNoBroker
	}
	return b.LendWriter(ctx, w)
}

// BorrowReader returns the reader at id, nil for the ID 0, and a function to close it. The
// end of ctx closes the reader too.
func BorrowReader(ctx context.Context, b *transportgrpc.Broker, id uint32) (io.Reader, func(), error) {
	switch {
	case id == 0:
		return nil, func() {}, nil
	case b == nil:
		return nil, nil, errNoBroker
	}
	r, err := b.BorrowReader(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = r.Close() })
	return r, func() { stop(); _ = r.Close() }, nil
}

// BorrowWriter returns the writer at id, nil for the ID 0, and a function to close it after a
// method. The function waits until all data has been written. Its error becomes the method's
// error, unless the method has failed itself.
func BorrowWriter(ctx context.Context, b *transportgrpc.Broker, id uint32) (io.Writer, func(*error), error) {
	switch {
	case id == 0:
		return nil, func(*error) {}, nil
	case b == nil:
		return nil, nil, errNoBroker
	}
	w, err := b.BorrowWriter(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return w, func(err *error) {
		if failed := w.Close(); *err == nil {
			*err = failed
		}
	}, nil
}

// isNil reports whether v is a nil interface or pointer.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	return !value.IsValid() || value.Kind() == reflect.Pointer && value.IsNil()
}
