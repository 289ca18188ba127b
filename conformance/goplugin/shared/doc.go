// Package shared holds the common definitions of all conformance peers, on any library.
// They are the cookie, the name of the only plugin ("probe"), its net/rpc service and its
// messages.
//
// It imports only the standard library, so a peer built on Jackfield can use it without
// linking hashicorp/go-plugin. The service is ordinary net/rpc on the wire (protocol §4).
// It has the methods of [Server] under the service name "Plugin", each with one argument
// value and a pointer to its reply. Gob matches structs by field name, so a peer may also
// declare its own messages with the same fields.
//
// Both sides use a broker through the three methods of [Broker]. go-plugin's MuxBroker has
// these methods; other brokers need a small adapter.
//
// Hosts of every kind observe a plugin with the package's other types: its [Output], a
// check for its process, and a [Report] of all observations.
package shared
