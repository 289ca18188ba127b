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

import "log/slog"

// LevelTrace is the slog level of hclog's "trace": below debug.
const LevelTrace = slog.LevelDebug - 4
