// Package shared holds what every conformance peer agrees on, whichever library
// it is built on: the cookie, the name of the one plugin ("probe"), its net/rpc
// service and the shapes of its messages.
//
// It imports the standard library only, so that a peer built on Jackfield can
// use it without linking hashicorp/go-plugin. The service crosses the wire as
// ordinary net/rpc (protocol §4): the methods of [Server] under the service name
// "Plugin", each with one argument value and a pointer to its reply. Gob matches
// structs by field name, so a peer may also declare messages of its own with the
// same fields.
//
// Both sides of a broker are reached through the three methods of [Broker]:
// go-plugin's MuxBroker has them as it is, other brokers need a small adapter.
//
// Beside it there is what hosts of every kind need to look at a plugin: its
// [Output], whether its process is gone, and the [Report] of all that.
package shared
