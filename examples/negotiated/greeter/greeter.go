// Package greeter is what a host and its plugins agree on after the interface has
// changed: version 1 greeted in English, over net/rpc; version 2 has languages, and
// goes over gRPC. Host and plugin agree on the highest version that both have, and
// each version has its own transport, so none of this touches the rest of a
// program: that sees the interface of today.
package greeter

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Greeter is the interface of version 2, and what hosts use with any plugin.
type Greeter interface {
	// Greet greets somebody in a language, "en" for instance, or returns
	// ErrLanguage.
	Greet(ctx context.Context, name, language string) (string, error)
}

// ErrLanguage says that a plugin does not have a language. One of version 1 has
// English only.
var ErrLanguage = errors.New("the plugin does not speak that language")

// English is the language of version 1.
const English = "en"

// Plugin is the name of the greeter and its type, in both versions.
var Plugin = core.Define[Greeter]("greeter")

// Handshake is how a plugin knows that a greeting host started it. It is the same
// in all versions.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_NEGOTIATED_PLUGIN",
	MagicCookieValue: "77f2c9d4",
}

// Versions are all that there have been: a plugin serves hosts of both versions, and
// a host uses plugins of both.
var Versions = core.Versions{
	1: {netrpc.New(netrpc.Carry(Plugin, newEnglish1, newClient1))},
	2: {transportgrpc.New(transportgrpc.Carry(Plugin, register2, newClient2))},
}
