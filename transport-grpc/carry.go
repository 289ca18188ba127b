package transportgrpc

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
)

// Service lets a transport carry the plugin p with generated code: the plugin
// serves an S, and the host calls a C. register and client are the functions that
// protoc-gen-go-grpc writes, RegisterKVServer and NewKVClient for a service KV. An
// implementation that needs the broker, or a host that wants its own interface
// instead of the generated client, takes [Carry].
func Service[S, C any](
	p core.Plugin[S, C],
	register func(r grpc.ServiceRegistrar, impl S),
	client func(conn grpc.ClientConnInterface) C,
) Option {
	return Carry(p,
		func(_ *Broker, r grpc.ServiceRegistrar, impl S) error {
			if register == nil {
				return errNoRegister
			}
			register(r, impl)
			return nil
		},
		func(_ *Broker, conn grpc.ClientConnInterface) (C, error) {
			if client == nil {
				var none C
				return none, errNoClient
			}
			return client(conn), nil
		})
}

// Carry lets a transport carry the plugin p.
//
// The function register registers the services of impl on r. It is called once, in
// the plugin, before the handshake: all its callers share them. The plugins of a
// transport share one server, and so must have different services. [Server] returns
// the *grpc.Server.
//
// The function client returns what the host calls, over conn, which is closed with
// the plugin. It is called in the host, for each Dispense anew. [ClientConn] returns
// the *grpc.ClientConn.
//
// A function may be nil where only the other side is built: using that side is an
// error then. Two plugins of one transport have different names.
func Carry[S, C any](
	p core.Plugin[S, C],
	register func(b *Broker, r grpc.ServiceRegistrar, impl S) error,
	client func(b *Broker, conn grpc.ClientConnInterface) (C, error),
) Option {
	made := carried{name: p.Name()}
	made.implemented = func(bound core.Implementations) bool {
		_, ok := p.Implementation(bound)
		return ok
	}
	made.register = func(b *Broker, r grpc.ServiceRegistrar, bound core.Implementations) error {
		impl, ok := p.Implementation(bound)
		switch {
		case !ok:
			return nil
		case register == nil:
			return errors.New("this program has no server side of the plugin: the register function for Carry is nil")
		}
		return register(b, r, impl)
	}
	made.client = func(b *Broker, conn grpc.ClientConnInterface) (any, error) {
		if client == nil {
			return nil, errors.New("this program has no client side of the plugin: the client function for Carry is nil")
		}
		return client(b, conn)
	}
	return optionFunc(func(o *options) { o.carried = append(o.carried, made) })
}

// What is wrong with a call of Lend, Borrow or Broker.Serve, or in a Service.
var (
	errNoRegister = errors.New("the register function is nil: pass the one that protoc-gen-go-grpc wrote for the service")
	errNoClient   = errors.New("the client function is nil: pass the one that protoc-gen-go-grpc wrote for the service")
)

// carried is a plugin that a transport carries, without its Go types.
type carried struct {
	name        string
	implemented func(bound core.Implementations) bool
	register    func(b *Broker, r grpc.ServiceRegistrar, bound core.Implementations) error
	client      func(b *Broker, conn grpc.ClientConnInterface) (any, error)
}

// Names returns the names of the plugins that t carries and bound implements,
// sorted.
func (t *Transport) Names(bound core.Implementations) []string {
	return t.names(func(c carried) bool { return c.implemented(bound) })
}

// names returns the names of those plugins that fit, sorted.
func (t *Transport) names(fit func(carried) bool) []string {
	names := []string{}
	for _, c := range t.options.carried {
		if fit(c) {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

func every(carried) bool { return true }

// checkCarried reports plugins that cannot be told from each other.
func (t *Transport) checkCarried() error {
	all := t.names(every)
	for i, name := range all {
		if name == "" {
			return errors.New("a plugin for Carry or Service has no name: make it with core.Define")
		}
		if i > 0 && all[i-1] == name {
			return fmt.Errorf("two plugins for Carry or Service have the name %q: give each transport one", name)
		}
	}
	return nil
}

// find returns the plugin called name, or an error that lists those there are.
func (t *Transport) find(name string) (carried, error) {
	for _, c := range t.options.carried {
		if c.name == name {
			return c, nil
		}
	}
	return carried{}, &core.UnknownPluginError{Name: name, Side: "host", Known: t.names(every)}
}

// register registers the services of what the plugin implements.
func (t *Transport) register(b *Broker, r *registrar, bound core.Implementations) error {
	for _, c := range t.options.carried {
		err := c.register(b, r, bound)
		if err = errors.Join(err, r.err); err != nil {
			return fmt.Errorf("the register function of plugin %q: %w", c.name, err)
		}
	}
	return nil
}
