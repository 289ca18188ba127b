// Package core has the types shared by hosts and plugins: the cookie checked at the start
// ([Handshake]), the plugins by name and type ([Plugin]), the offered application versions
// ([Versions]), the contract between this module and a transport ([Transport]), and the errors of
// both sides.
//
// A host imports core/host and one transport; a plugin imports core/plugin and one transport. Both
// import this package to declare the shared values:
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
// docs/protocol.md of the repository describes the wire protocol; comments here cite its sections.
package core

import "log/slog"

// LevelTrace is the slog level of hclog's "trace": below debug.
const LevelTrace = slog.LevelDebug - 4
