// This program is the measured gRPC plugin, built on hashicorp/go-plugin.
package main

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/figures/grpcservice"
	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

type servicePlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (servicePlugin) GRPCServer(b *goplugin.GRPCBroker, s *grpc.Server) error { //nolint:unparam // the library's interface
	probe.RegisterProbeServiceServer(s, &grpcservice.Server{Borrow: func(_ context.Context, id uint32) (grpc.ClientConnInterface, func(), error) {
		conn, err := b.Dial(id)
		return conn, func() { _ = conn.Close() }, err
	}})
	return nil
}

func (servicePlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   grpcservice.CookieKey,
			MagicCookieValue: grpcservice.CookieValue,
		},
		Plugins:    goplugin.PluginSet{grpcservice.Name: servicePlugin{}},
		GRPCServer: goplugin.DefaultGRPCServer,
	})
}
