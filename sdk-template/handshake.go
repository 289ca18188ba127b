package notely

import (
	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// cookieValue lets plugins check that notely started them. It is not secret.
const cookieValue = "0bcb42cbe128e85ec44a5d3c9a6321b9f1e759863d31ec7f9b63201fe80368a9"

// Handshake identifies the application to its plugins.
var Handshake = core.Handshake{
	MagicCookieKey:   "NOTELY_PLUGIN_COOKIE",
	MagicCookieValue: cookieValue,
}

// Plugin defines the name and type of a plugin's [NoteStore].
var Plugin = core.Define[NoteStore]("note-store")

// Versions are the versions of the protocol. Plugin and application use the highest common
// version. A change that old programs cannot understand needs a new version here.
var Versions = core.Versions{
	1: {transportgrpc.New(transportgrpc.Carry(Plugin, register1, newClient1))},
	2: {transportgrpc.New(transportgrpc.Carry(Plugin, register2, newClient2))},
}
