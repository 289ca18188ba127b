package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/figures/grpcservice"
	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// lendingFigures are the costs of lending a service in each call. Both sides are Jackfield's:
// the second column has the same call with nothing lent, and for "thousand" what lending cost
// with a listener for each.
func lendingFigures() []figure {
	secure := func(cfg *host.Config) { cfg.AutoMTLS = host.MTLSRequired }
	unused := func(s *oursGRPC) error { return s.lend("") }
	called := func(s *oursGRPC) error { return s.lend("?") }
	return []figure{
		{"lent-unused", "µs", "ratio to the call without at most 1.15", measureLending(nil, unused)},
		{"lent-called", "µs", "ratio to the call without at most 2.30", measureLending(nil, called)},
		{"tls-lent-unused", "µs", "ratio to the call without at most 1.15", measureLending(secure, unused)},
		{"tls-lent-called", "µs", "ratio to the call without at most 2.30", measureLending(secure, called)},
		{"thousand-memory", "kB", "ratio to a listener for each at most 0.25", measureThousand(memory)},
		{"thousand-goroutines", "", "ratio to a listener for each at most 0.25",
			measureThousand(func() float64 { return float64(runtime.NumGoroutine()) })},
	}
}

// measureLending compares lend with the same call with nothing lent.
func measureLending(change func(*host.Config), lend func(s *oursGRPC) error) func(b *bench) (with, without []float64, err error) {
	return func(b *bench) (with, without []float64, err error) {
		launched, err := b.oursGRPCWith(change)()
		if err != nil {
			return nil, nil, err
		}
		s, ok := launched.(*oursGRPC)
		if !ok {
			return nil, nil, fmt.Errorf("launched a %T", launched)
		}
		sample := func(call func(*oursGRPC) error) func() (float64, error) {
			return func() (float64, error) { return repeated(200, func() error { return call(s) }) }
		}
		if err := errors.Join(lend(s), s.without()); err != nil { // the first call connects
			return nil, nil, errors.Join(err, s.Close())
		}
		with, without, err = alternate(b.samples(100), sample(lend), sample((*oursGRPC).without))
		return with, without, errors.Join(err, s.Close())
	}
}

// measureThousand counts a resource of the host for a thousand services of it, all lent and
// called at once. A Serve has a listener and a connection of its own.
func measureThousand(count func() float64) func(b *bench) (lent, served []float64, err error) {
	const services = 1000
	return func(b *bench) (lent, served []float64, err error) {
		sample := func(offer func(ctx context.Context, s *oursGRPC) (uint32, error)) func() (float64, error) {
			return func() (float64, error) {
				launched, err := b.oursGRPC()()
				if err != nil {
					return 0, err
				}
				s, ok := launched.(*oursGRPC)
				if !ok {
					return 0, fmt.Errorf("launched a %T", launched)
				}
				ctx, cancel := context.WithCancel(b.ctx)
				before := count()
				err = s.hold(ctx, services, offer)
				after := count()
				cancel()
				return (after - before) / services, errors.Join(err, s.Close())
			}
		}
		return alternate(b.samples(10), sample(lendHost), sample(serveHost))
	}
}

// hold calls n services through the plugin. They stay until ctx ends.
func (s *oursGRPC) hold(ctx context.Context, n int, offer func(context.Context, *oursGRPC) (uint32, error)) error {
	ids := make([]uint32, n)
	for i := range ids {
		var err error
		if ids[i], err = offer(ctx, s); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if _, err := s.probe.Callback(ctx, &probe.CallbackRequest{BrokerId: id, Question: grpcservice.Stay}); err != nil {
			return err
		}
	}
	return nil
}

func lendHost(ctx context.Context, s *oursGRPC) (uint32, error) {
	return transportgrpc.Lend[probe.HostServiceServer](ctx, s.broker, probe.RegisterHostServiceServer, new(grpcservice.Host))
}

func serveHost(ctx context.Context, s *oursGRPC) (uint32, error) {
	id := s.broker.NextID()
	go func() {
		_ = s.broker.Serve(ctx, id, func(r grpc.ServiceRegistrar) { probe.RegisterHostServiceServer(r, new(grpcservice.Host)) })
	}()
	return id, nil
}
