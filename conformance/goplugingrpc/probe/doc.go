// Package probe has both ends of the conformance suite's gRPC service, without a plugin
// library: a plugin serves a [Server], a host has a [Client].
//
// Both use a library's broker through the interface [Broker]; each library gets a small
// adapter.
package probe
