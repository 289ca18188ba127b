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

// Name is the name by which the greeter is dispensed, in both versions.
const Name = "greeter"

// Handshake is how a plugin knows that a greeting host started it. It is the same
// in all versions.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_NEGOTIATED_PLUGIN",
	MagicCookieValue: "77f2c9d4",
}

// Versions are all that there have been. A plugin passes its implementation, and so
// serves hosts of both versions; a host passes nil, and so uses plugins of both.
func Versions(impl Greeter) core.Versions {
	return core.Versions{
		1: {Version1(english{impl})},
		2: {version2(impl)},
	}
}
