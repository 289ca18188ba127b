package glue

import (
	"context"
	"errors"
	"sync/atomic"

	"google.golang.org/grpc"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Host connects an implementation to the services of its host. Generated types embed it: an
// implementation gets the services by embedding such a type. The zero value is ready for use.
type Host struct {
	broker atomic.Pointer[transportgrpc.Broker]
}

// UseHost sets the broker of the plugin.
func (h *Host) UseHost(b *transportgrpc.Broker) { h.broker.Store(b) }

// UseHost gives the broker to an implementation that embeds a [Host].
func UseHost(b *transportgrpc.Broker, impl any) {
	if user, ok := impl.(interface {
		UseHost(b *transportgrpc.Broker)
	}); ok && !isNil(impl) {
		user.UseHost(b)
	}
}

// HostService returns a service of the host.
func HostService[T any](
	h *Host, client func(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (T, error),
) T {
	var conn grpc.ClientConnInterface = unbound{}
	b := h.broker.Load()
	if b != nil {
		conn = b.Host()
	}
	made, _ := client(b, conn) // generated clients have no error
	return made
}

// unbound fails the calls of an implementation that no plugin serves.
type unbound struct{}

var errUnbound = errors.New("the services of the host are not connected: bind a pointer to the implementation, " +
	"and call them once the plugin serves")

func (unbound) Invoke(context.Context, string, any, any, ...grpc.CallOption) error { return errUnbound }

func (unbound) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errUnbound
}

// Offer returns an option to offer services to plugins, as long as they run.
func Offer(services ...func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error) transportgrpc.Option {
	return transportgrpc.WithHostServices(func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		for _, register := range services {
			if err := register(b, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Offered returns the registration of a service for [Offer]: nothing for a nil impl.
func Offered[S any](
	register func(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl S) error, impl S,
) func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
	return func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		if isNil(impl) {
			return nil
		}
		return register(b, r, impl)
	}
}
