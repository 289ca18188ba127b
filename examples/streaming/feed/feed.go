// Package feed is shared by a host and its plugins, with the generated code as the whole interface:
// the plugin implements the service, and the host calls its client. No type is written in between.
package feed

import (
	"github.com/jackfield-go/jackfield/core"
	feedv1 "github.com/jackfield-go/jackfield/examples/proto/feed/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Plugin is the name of the feed, and its types: plugins implement the generated
// server, and hosts call the generated client.
var Plugin = core.DefineSides[feedv1.FeedServiceServer, feedv1.FeedServiceClient]("feed")

// Handshake identifies a host of feeds to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_FEED_PLUGIN",
	MagicCookieValue: "d90e13ab",
}

// Versions are the protocol versions of the application.
var Versions = core.Versions{1: {transportgrpc.New(
	transportgrpc.Service(Plugin, feedv1.RegisterFeedServiceServer, feedv1.NewFeedServiceClient),
)}}
