// Package handshake is what a host and a plugin tell each other before there is
// a connection between them: the PLUGIN_* environment variables that a host sets
// (protocol §1), the one line that a plugin prints on its standard output
// (protocol §2), and the version that the two settle on. The protocol is written
// down in docs/protocol.md.
//
// The package is pure: it reads no environment, opens no file and writes
// nothing, so that both sides, tests and fuzzers call it with values of their
// own. Everything it parses is bounded, since neither side trusts the other.
//
// # The line
//
// A plugin that listens prints one line, and its host reads it:
//
//	CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERT
//	1|3|unix|/tmp/plugin123/s|netrpc|
//
// [Line.Format] writes it and [Parse] reads it. Programs print other things on
// their standard output too; [IsCandidate] tells such noise from a handshake line
// that is wrong, and [SplitGlued] finds a handshake line that stands behind noise
// without a newline.
//
// # The variables
//
// A host builds an [Environment] and appends its [Environment.Variables] to what
// the child inherits, after [Strip] has removed stale ones; a variable of these
// names that the host's own environment holds therefore never reaches the child,
// and of two with one name the later one, the host's, wins. A plugin reads them
// with [ReadEnvironment] and unsets [Names] once it has, so that its own children
// do not inherit them. A variable that is set but empty counts as unset.
//
//	PLUGIN_PROTOCOL_VERSIONS   application versions the host knows, decimal, comma
//	                           separated, any order; items that are not versions are
//	                           skipped. Always sent. Unset: an old host, which
//	                           gets the plugin's lowest version.
//	PLUGIN_MIN_PORT            first and last TCP port (inclusive, 0 to 65535) that
//	PLUGIN_MAX_PORT            the plugin may listen on where it listens on TCP.
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
//	PLUGIN_UNIX_SOCKET_GROUP   group name or gid that may connect to the plugin's
//	                           sockets. Unset: no group.
//	PLUGIN_HANDSHAKE_FIELDS    an extension (protocol §10): names, comma separated,
//	                           of extra fields that the host would like to find in
//	                           the line. Unset: none, and a plugin adds none.
//
// The magic cookie is not among them: its name and value are the application's,
// and package core has it.
package handshake
