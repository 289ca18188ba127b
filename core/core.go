// Package core holds what a host and a plugin have in common: the identity
// they check ([Handshake]), the plugins by name and type ([Plugin]), the
// application versions they offer ([Versions]), the contract between this module
// and a transport ([Transport]), and the errors that both sides share.
//
// A host imports core/host and one transport; a plugin imports core/plugin and
// one transport. Both import this package for the values they agree on:
//
//	var Handshake = core.Handshake{
//		MagicCookieKey:   "GREETER_PLUGIN",
//		MagicCookieValue: "b7c1a0de",
//	}
//
//	var Plugin = core.Define[Greeter]("greeter")
//
//	var Versions = core.Versions{
//		1: {transportnetrpc.New(transportnetrpc.Carry(Plugin, newServer, newClient))},
//	}
//
// The wire between the two is described in docs/protocol.md of the repository;
// comments here cite its sections.
package core

import (
	"errors"
	"log/slog"
	"strings"
)

// LevelTrace is the slog level of hclog's "trace": below debug.
const LevelTrace = slog.LevelDebug - 4

// Handshake is how a plugin knows that the program which started it is a host
// of its application (protocol §1). It is no secret and no security measure: it
// lets a plugin that somebody started by hand say so instead of waiting for a
// host. Both fields are required.
type Handshake struct {
	// MagicCookieKey is the name of the environment variable, in capitals by
	// custom. It should be one that no other application uses.
	MagicCookieKey string
	// MagicCookieValue is what the variable must hold.
	MagicCookieValue string
}

// Validate reports what makes the handshake unusable, or nil.
func (h Handshake) Validate() error {
	switch {
	case h.MagicCookieKey == "" || h.MagicCookieValue == "":
		return errors.New("the handshake needs a MagicCookieKey and a MagicCookieValue")
	case strings.ContainsAny(h.MagicCookieKey, "=\x00"):
		return errors.New("the handshake's MagicCookieKey cannot be the name of an environment variable")
	case strings.ContainsRune(h.MagicCookieValue, 0):
		return errors.New("the handshake's MagicCookieValue has a NUL byte in it")
	}
	return nil
}
