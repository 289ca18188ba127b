// Package feed is what a host and its plugins agree on where the generated code is
// the whole interface: the plugin implements the service, the host calls its
// client, and no type is written in between.
package feed

import (
	"github.com/jackfield-go/jackfield/core"
	feedv1 "github.com/jackfield-go/jackfield/examples/proto/feed/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Name is the name by which the feed is dispensed: as a feedv1.FeedServiceClient.
const Name = "feed"

// Handshake is how a plugin knows that a host of feeds started it.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_FEED_PLUGIN",
	MagicCookieValue: "d90e13ab",
}

// Versions are the protocol versions of the application. A plugin passes its
// implementation, a host nil.
func Versions(impl feedv1.FeedServiceServer) core.Versions {
	return core.Versions{1: {transportgrpc.New(transportgrpc.PluginSet{
		Name: transportgrpc.Service(feedv1.RegisterFeedServiceServer, feedv1.NewFeedServiceClient, impl),
	})}}
}
