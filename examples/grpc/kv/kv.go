// Package kv is what the host of a key-value store and its plugins agree on,
// whatever carries their calls: the interface, its errors, and how the two know
// each other. The wires have packages of their own, kvgrpc and kvnetrpc, so that a
// plugin links only the one that it speaks.
package kv

import (
	"context"
	"errors"

	"github.com/jackfield-go/jackfield/core"
)

// Store is the application's interface: the host calls it, a plugin implements it.
type Store interface {
	// Put stores value under key, in the place of what was there.
	Put(ctx context.Context, key string, value []byte) error
	// Get returns the value under key, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
}

// ErrNotFound says that there is no value under a key. It crosses both wires.
var ErrNotFound = errors.New("no value under this key")

// Plugin is the name of the store and its type, for hosts and plugins.
var Plugin = core.Define[Store]("store")

// Handshake is how a plugin knows that a host of stores started it. The plugins in
// other languages have it in their own words.
var Handshake = core.Handshake{
	MagicCookieKey:   "JACKFIELD_KV_PLUGIN",
	MagicCookieValue: "c04d2f1e",
}

// Versions are the protocol versions of the application; so far there is one. A
// host passes the transports that it accepts, a plugin the one that it speaks.
func Versions(transports ...core.Transport) core.Versions {
	return core.Versions{1: transports}
}
