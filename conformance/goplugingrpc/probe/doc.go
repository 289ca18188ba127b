// Package probe is the gRPC service of the conformance suite, both ends of it,
// without a plugin library: a plugin serves a [Server], a host has a [Client].
//
// What both need of a library's broker is the interface [Broker]; each library
// gets a small adapter to it.
package probe
