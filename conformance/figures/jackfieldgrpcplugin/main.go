// This program is the measured gRPC plugin, built on Jackfield.
package main

import (
	"context"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/figures/grpcservice"
	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

func main() {
	measured := core.DefineSides[*grpcservice.Server, probe.ProbeServiceClient](grpcservice.Name)
	register := func(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl *grpcservice.Server) error {
		impl.Borrow = func(ctx context.Context, id uint32) (grpc.ClientConnInterface, func(), error) {
			// This is an author's code with this library: the end of the call's context
			// closes the connection.
			conn, err := transportgrpc.Borrow(ctx, b, id, func(c grpc.ClientConnInterface) grpc.ClientConnInterface { return c })
			return conn, func() {}, err
		}
		probe.RegisterProbeServiceServer(r, impl)
		return nil
	}
	plugin.Serve(plugin.Config{
		Handshake:  core.Handshake{MagicCookieKey: grpcservice.CookieKey, MagicCookieValue: grpcservice.CookieValue},
		Versions:   core.Versions{1: {transportgrpc.New(transportgrpc.Carry(measured, register, nil))}},
		Implements: measured.Bind(new(grpcservice.Server)),
	})
}
