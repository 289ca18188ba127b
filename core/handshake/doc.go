// Package handshake reads and writes the messages that a host and a plugin
// exchange before they connect: the PLUGIN_* environment variables of the host
// (protocol §1) and the line that the plugin prints on its standard output
// (protocol §2). It also negotiates the application version. The protocol is
// specified in docs/protocol.md.
//
// The package is pure: it reads no environment, opens no file and writes
// nothing, so both sides, tests and fuzzers call it with their own values. All
// input is bounded, since neither side trusts the other.
//
// # The line
//
// A plugin that listens prints one line, and its host reads it:
//
//	CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERT
//	1|3|unix|/tmp/plugin123/s|netrpc|
//
// [Line.Format] writes it and [Parse] reads it. Programs print other things on
// their standard output too; [IsCandidate] tells this noise from a malformed
// handshake line, and [SplitGlued] finds a handshake line behind noise without
// a newline.
//
// # The variables
//
// A host inherits an environment, removes stale variables with [Strip], and
// appends the [Environment.Variables] of an [Environment]. Protocol variables
// in the host's own environment therefore never reach the child. Of two
// variables with the same name the later wins, which is the host's. A plugin
// reads them with [ReadEnvironment] and then unsets [Names], so that its own
// children do not inherit them. An empty variable counts as unset.
//
//	PLUGIN_PROTOCOL_VERSIONS   application versions the host knows, decimal, comma
//	                           separated, any order; malformed items are
//	                           skipped. Always sent. Unset: an old host, which
//	                           gets the plugin's lowest version.
//	PLUGIN_MIN_PORT            first and last TCP port (inclusive, 0 to 65535) on
//	PLUGIN_MAX_PORT            which the plugin may listen, if it uses TCP.
//	                           Always sent: 10000 and 25000 when the host set
//	                           neither. Unset: 0, the system picks a port.
//	PLUGIN_CLIENT_CERT         the host's certificate, PEM. Sent when the host wants
//	                           mutual TLS (protocol §3). A plugin with a TLS
//	                           configuration of its own ignores it.
//	PLUGIN_MULTIPLEX_GRPC      "true" when the host wants brokered gRPC connections
//	                           multiplexed. Non-empty: the plugin writes the seventh
//	                           field of the line, whatever the value.
//	PLUGIN_UNIX_SOCKET_DIR     directory for the plugin's sockets. Unset: the
//	                           plugin's choice. Many plugins ignore it.
//	PLUGIN_UNIX_SOCKET_GROUP   name or gid of the group allowed to connect to the plugin's
//	                           sockets. Unset: no group.
//	PLUGIN_HANDSHAKE_FIELDS    an extension (protocol §10): names, comma separated,
//	                           of extra fields that the host asks for in
//	                           the line, and last "for:" with the name of its
//	                           cookie. Unset: none, and a plugin adds none.
//	PLUGIN_LIFELINE            an extension: a pipe in PLUGIN_UNIX_SOCKET_DIR that ends
//	                           with the host, or without unix sockets the host's
//	                           process ID. Unset: nothing tells of the host's end.
//	PLUGIN_OUTLIVE             an extension: "true" when the plugin may outlive the
//	                           host. Unset: it leaves with its host.
//
// The magic cookie is not among them: its name and value are the application's,
// and package core has it.
//
// # Reattaching
//
// A [Reattach] identifies a running plugin for another host. [ParseReattach] and
// [FormatReattach] read and write the JSON that existing hosts and plugins use
// (protocol §9).
package handshake
