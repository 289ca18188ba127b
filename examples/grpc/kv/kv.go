// Package kv is shared by the host of a key-value store and its plugins, for every transport: the
// interface, its errors, and the handshake. The transports have separate packages, kvgrpc and
// kvnetrpc, so that a plugin links only one of them.
package kv

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/core"
)

// Store is the application's interface: the host calls it, a plugin implements it.
type Store interface {
	// Put stores value under key and replaces an earlier value.
	Put(ctx context.Context, key string, value []byte) error
	// Get returns the value under key, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
}

// ErrNotFound reports a key without a value. It crosses both wires.
var ErrNotFound = errors.New("no value under this key")

// Plugin is the name of the store and its type, for hosts and plugins.
var Plugin = core.Define[Store]("store")

// Handshake identifies a host of stores to its plugins. The plugins in other languages
// repeat its values.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_KV_PLUGIN",
	MagicCookieValue: "c04d2f1e",
}

// Versions are the protocol versions of the application, currently one. A host
// passes all transports it accepts, a plugin only its own.
func Versions(transports ...core.Transport) core.Versions {
	return core.Versions{1: transports}
}
