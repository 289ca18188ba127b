// Package greeter is shared by a host and its plugins after a change of the interface. Version 1
// greeted in English, over net/rpc; version 2 has languages, and uses gRPC. Host and plugin
// negotiate the highest common version, and each version has its own transport. The rest of the
// program uses only the current interface.
package greeter

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Greeter is the interface of version 2. Hosts use it with every plugin.
type Greeter interface {
	// Greet greets a person in a language, for example "en", or returns
	// ErrLanguage.
	Greet(ctx context.Context, name, language string) (string, error)
}

// ErrLanguage reports an unknown language. Plugins of version 1 know only
// English.
var ErrLanguage = errors.New("the plugin does not speak that language")

// English is the language of version 1.
const English = "en"

// Plugin is the name of the greeter and its type, in both versions.
var Plugin = core.Define[Greeter]("greeter")

// Handshake identifies a greeting host to its plugins. It is the same
// in all versions.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_NEGOTIATED_PLUGIN",
	MagicCookieValue: "77f2c9d4",
}

// Versions are all versions so far: a plugin serves hosts of both versions, and a host uses plugins
// of both.
var Versions = core.Versions{
	1: {netrpc.New(netrpc.Carry(Plugin, newEnglish1, newClient1))},
	2: {transportgrpc.New(transportgrpc.Carry(Plugin, register2, newClient2))},
}
