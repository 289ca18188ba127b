package notely

import (
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"

	notelyv1 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v1"
	notelyv2 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v2"
)

// cookieValue tells plugins that notely started them. It is no secret.
const cookieValue = "0bcb42cbe128e85ec44a5d3c9a6321b9f1e759863d31ec7f9b63201fe80368a9"

// Handshake identifies the application to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "NOTELY_PLUGIN_COOKIE",
	MagicCookieValue: cookieValue,
}

// Versions returns the versions of the protocol. Plugin and application agree
// on the highest in common. A plugin passes its implementation, the application
// nil. A change that old programs cannot understand is a new version here.
func Versions(impl NoteStore) core.Versions {
	return core.Versions{
		1: {transport(newClient1, func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) {
			notelyv1.RegisterNoteStoreServiceServer(r, &server1{impl: impl})
		})},
		2: {transport(newClient2, func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) {
			notelyv2.RegisterNoteStoreServiceServer(r, &server2{impl: impl, broker: b})
		})},
	}
}

func transport(
	client func(*transportgrpc.Broker, grpc.ClientConnInterface) (any, error),
	register func(*transportgrpc.Broker, grpc.ServiceRegistrar),
) core.Transport {
	return transportgrpc.New(transportgrpc.PluginSet{Name: transportgrpc.PluginFuncs{
		NewClient: client,
		NewServer: func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			register(b, r)
			return nil
		},
	}})
}
