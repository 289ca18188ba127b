// Package hello is shared by the application and its plugins.
package hello

import (
	"github.com/jackfield-go/jackfield/core"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Plugin names the plugin. Plugins implement the first type, hosts call the second.
var Plugin = core.DefineSides[hellov1.HelloServiceServer, hellov1.HelloServiceClient]("hello")

// Handshake tells a plugin that this application started it. Choose your own.
var Handshake = core.Handshake{MagicCookieKey: "HELLO_PLUGIN", MagicCookieValue: "5ad3e1f0"}

// Versions maps each protocol version of the application to its transports.
var Versions = core.Versions{1: {transportgrpc.New(
	transportgrpc.Service(Plugin, hellov1.RegisterHelloServiceServer, hellov1.NewHelloServiceClient),
)}}
