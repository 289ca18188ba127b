package transportgrpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker/exchange"
)

// ErrNoHostServices is the error of a call over [Broker.Host] if the host offers no services
// there, and has the code Unimplemented.
var ErrNoHostServices = errors.New("the host offers no services: it needs WithHostServices, " +
	"and if host or plugin is not built with this library, both need the same WithHostServicesID")

// WithHostServices lets a host offer services to its plugins, as long as they run.
// [Broker.Host] connects to them. register runs at each launch, before the plugin is called, so
// each plugin may have an implementation of its own; b is the plugin's broker, and [Server]
// returns false for r. Several options add up. Only the launched plugin can call the services.
// They cost no connection until it does.
//
// On the plugin's side the option changes nothing.
func WithHostServices(register func(b *Broker, r grpc.ServiceRegistrar) error) Option {
	return optionFunc(func(o *options) { o.hostServices = append(o.hostServices, register) })
}

// WithHostServicesID sets a broker ID for the services of [WithHostServices], for hosts and
// plugins with the broker of another library, as go-plugin's. They serve or dial that ID, which
// is a convention of the application. Two sides of this package do not need it. The ID is below
// 2147483648 (2³¹), and large enough for Broker.NextID never to reach it. 0: no ID.
//
// The host serves the ID from the beginning of the broker's stream on. A go-plugin plugin must
// dial it within five seconds of its start, and once.
func WithHostServicesID(id uint32) Option {
	return optionFunc(func(o *options) { o.hostServicesID = id })
}

// Host returns a connection to the services that the host offers with [WithHostServices], for
// the constructors of generated clients. It is for plugins. It may be called at once, and in
// register functions: the first call connects, and waits for the host until its context ends.
// All calls share the connection. A lost connection is made again, and the plugin's end closes
// it. In a method of a multiplexed plugin with several hosts, the call's context chooses the
// calling host, as for Lend.
//
// Without such services, a call's error is [ErrNoHostServices].
func (b *Broker) Host() grpc.ClientConnInterface { return hostServicesConn{b} }

// hostServicesConn calls the services of the present host.
type hostServicesConn struct{ broker *Broker }

// Invoke makes a call, for generated clients.
func (h hostServicesConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	r, own, err := h.connect(ctx)
	switch {
	case err != nil:
		return err
	case own != nil:
		return own.Invoke(ctx, method, args, reply, opts...)
	}
	defer r.close()
	return r.invoke(ctx, method, args, reply, opts)
}

// NewStream opens a stream, for generated clients.
func (h hostServicesConn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	r, own, err := h.connect(ctx)
	switch {
	case err != nil:
		return nil, err
	case own != nil:
		return own.NewStream(ctx, desc, method, opts...)
	}
	stream, err := r.stream(ctx, desc, method, opts)
	if err != nil {
		r.close()
		return nil, err
	}
	context.AfterFunc(stream.Context(), r.close)
	return stream, nil
}

// connect returns a reference for one call, or a connection to the fixed ID.
func (h hostServicesConn) connect(ctx context.Context) (*reference, *Conn, error) {
	b := h.broker
	_, p, err := b.partner(ctx, true)
	if err != nil {
		return nil, nil, failedHostCall(ctx, err)
	}
	id := b.options.hostServicesID
	switch {
	case p.lends && p.services:
		client, err := b.lendingClient(p, referenceOf(0, 0))
		if err != nil {
			return nil, nil, failedHostCall(ctx, err)
		}
		return newReference(client, referenceOf(0, hostServices)), nil, nil
	case !p.lends && id != 0:
		conn, err := p.dialFixed(ctx, b, id)
		if err != nil {
			return nil, nil, failedHostCall(ctx, err)
		}
		return nil, conn, nil
	default:
		return nil, nil, &CallError{status: status.New(codes.Unimplemented, ErrNoHostServices.Error()), reason: ErrNoHostServices}
	}
}

func failedHostCall(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return endOf(ctx, status.FromContextError(ctx.Err()), err)
	}
	return &CallError{status: status.New(codes.Unavailable, err.Error()), reason: err}
}

// dialFixed returns the connection to the services at a fixed ID. The first call makes it.
func (p *partner) dialFixed(ctx context.Context, b *Broker, id uint32) (*Conn, error) {
	select {
	case p.dialling <- struct{}{}:
		defer func() { <-p.dialling }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	b.mu.Lock()
	conn := p.fixed
	b.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	conn, err := b.Client(ctx, id)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	p.fixed = conn
	b.mu.Unlock()
	return conn, nil
}

// collectHostServices runs the functions of WithHostServices for a launch.
func (s *session) collectHostServices() error {
	guard := &registrar{}
	for _, register := range s.transport.options.hostServices {
		if register == nil {
			return fmt.Errorf("WithHostServices: %w", errNoRegister)
		}
		if err := errors.Join(register(s.broker, guard), guard.err); err != nil {
			return fmt.Errorf("the register function of WithHostServices: %w", err)
		}
	}
	s.offered = guard.services
	return nil
}

// offer offers the host's services over a scheme.
func (s *session) offer(ex exchange.Scheme, lends bool) error {
	id := s.transport.options.hostServicesID
	switch {
	case len(s.offered) == 0:
		return nil
	case lends:
		return s.broker.lenderOf(ex).offer(s.offered)
	case id == 0:
		s.link.Logger.Debug("the plugin cannot find the host's services: it is not built with this library, and they have no WithHostServicesID")
		return nil
	}
	s.running.Go(func() {
		server := newGRPCServer(s.broker.options.serverOptions(s.link.TLS, nil, 0)...)
		for _, service := range s.offered {
			server.RegisterService(service.desc, service.impl)
		}
		serve, err := s.broker.prepared(s.streams, id, server)
		if err == nil {
			err = serve()
		}
		if s.streams.Err() == nil {
			s.link.Logger.Debug("the host's services are no longer served", "id", id, "reason", err)
		}
	})
	return nil
}

// offer enters the host's services, as long as the scheme lasts.
func (l *lender) offer(services []registered) error {
	if _, err := l.broker.security.Serving(); err != nil {
		return fmt.Errorf("offer the host's services: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.serverFor(services)
	if err == nil && s == nil {
		err = errors.New("one of them has the name of a service of this library, and another description")
	}
	if err != nil {
		return fmt.Errorf("offer the host's services: %w", err)
	}
	l.put(context.Background(), s, hostServices, services)
	return nil
}
