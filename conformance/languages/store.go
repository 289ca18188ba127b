package languages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// The plugins expect these values of their host.
const (
	cookieKey   = "JACKFIELD_KV_PLUGIN"
	cookieValue = "c04d2f1e"
)

// PluginName is the name to dispense.
const PluginName = "store"

// Plugin is the store for a host of ours.
var Plugin = core.DefineSides[kvv1.StoreServiceServer, kvv1.StoreServiceClient](PluginName)

// Handshake lets the plugins recognize our hosts.
func Handshake() core.Handshake {
	return core.Handshake{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}
}

// Versions are the versions that our hosts accept.
func Versions(options ...transportgrpc.Option) core.Versions {
	options = append(options, transportgrpc.Service(Plugin, kvv1.RegisterStoreServiceServer, kvv1.NewStoreServiceClient))
	return core.Versions{1: {transportgrpc.New(options...)}}
}

// TheirConfig configures a go-plugin host for the plugins. The caller adds the command and
// all other settings.
func TheirConfig() *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Plugins:          goplugin.PluginSet{PluginName: theirPlugin{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
	}
}

type theirPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (theirPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (theirPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return kvv1.NewStoreServiceClient(conn), nil
}

// UseStore stores values of several sizes in a plugin's store and reads them back. It also
// reads a missing key.
func UseStore(ctx context.Context, store kvv1.StoreServiceClient) error {
	var all error
	for key, value := range map[string][]byte{
		"colour": []byte("blue"),
		"empty":  {},
		"large":  bytes.Repeat([]byte("0123456789abcdef"), 1<<20), // 16 MiB
	} {
		if _, err := store.Put(ctx, &kvv1.PutRequest{Key: key, Value: value}); err != nil {
			all = errors.Join(all, fmt.Errorf("put %s: %w", key, err))
		}
		res, err := store.Get(ctx, &kvv1.GetRequest{Key: key})
		switch {
		case err != nil:
			all = errors.Join(all, fmt.Errorf("get %s: %w", key, err))
		case !bytes.Equal(res.GetValue(), value):
			all = errors.Join(all, fmt.Errorf("get %s: %d bytes, expected %d, or different bytes", key, len(res.GetValue()), len(value)))
		}
	}
	_, err := store.Get(ctx, &kvv1.GetRequest{Key: "size"})
	if status.Code(err) != codes.NotFound || strings.Contains(err.Error(), "Traceback") {
		all = errors.Join(all, fmt.Errorf("a missing key: %w", err))
	}
	return all
}
