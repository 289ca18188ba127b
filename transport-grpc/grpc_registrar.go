package transportgrpc

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"google.golang.org/grpc"
)

// registrar registers services on a server. It returns errors for faults at which gRPC
// ends the program.
//
// With collect it keeps the services for a server of several lendings, until [Server] asks
// for a server.
type registrar struct {
	server   *grpc.Server // nil while it collects
	collect  func() *grpc.Server
	services []registered
	err      error
}

// registered is a collected service.
type registered struct {
	desc *grpc.ServiceDesc
	impl any
}

// unwrap returns the server: nil if there can be none.
func (r *registrar) unwrap() *grpc.Server {
	if r.server == nil && r.collect != nil {
		r.server = r.collect()
		for _, s := range r.services {
			r.server.RegisterService(s.desc, s.impl)
		}
	}
	return r.server
}

func (r *registrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	switch {
	case desc == nil:
		r.refuse(errors.New("a service without a description was registered"))
	case r.has(desc.ServiceName):
		r.refuse(fmt.Errorf("the service %s was registered twice: %s", desc.ServiceName, twice(desc.ServiceName)))
	case !canServe(desc.HandlerType, impl):
		r.refuse(fmt.Errorf("a %T was registered as the service %s, and lacks its methods", impl, desc.ServiceName))
	case r.server == nil:
		r.services = append(r.services, registered{desc, impl})
	default:
		r.server.RegisterService(desc, impl)
	}
}

// canServe reports whether impl has the methods called by a service's handlers:
// handlerType is a pointer to an interface. Handlers without calls need no impl.
func canServe(handlerType, impl any) bool {
	pointer := reflect.TypeOf(handlerType)
	if pointer == nil || pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Interface {
		return impl == nil && handlerType == nil
	}
	methods := pointer.Elem()
	if impl == nil {
		return methods.NumMethod() == 0
	}
	return reflect.TypeOf(impl).Implements(methods)
}

func (r *registrar) has(service string) bool {
	if r.server == nil {
		return slices.ContainsFunc(r.services, func(s registered) bool { return s.desc.ServiceName == service })
	}
	_, ok := r.server.GetServiceInfo()[service]
	return ok
}

// twice returns the remedy for a duplicate service.
func twice(service string) string {
	switch {
	case isReflection(service):
		return "every plugin has it; to serve another, use WithoutReflection"
	case isOurs(service):
		return "every plugin has it, so leave it out"
	default:
		return "the plugins of a set share one server"
	}
}

func (r *registrar) refuse(err error) { r.err = errors.Join(r.err, err) }
