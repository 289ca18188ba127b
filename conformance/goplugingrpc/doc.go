// Package goplugingrpc is the table of contents of the conformance peers that
// speak gRPC and are built on hashicorp/go-plugin v1.8.0. It has no code of its
// own; its tests run the peers against each other, so that a difference seen
// against Jackfield is not a mistake of theirs, and what go-plugin cannot do
// with itself is on record.
//
//   - probe: the service and its two ends, free of any plugin library
//   - scenario: what a host of any library puts a plugin of any library through
//   - probeplugin: the probe as a go-plugin plugin, for hosts and plugins
//   - plugin: the plugin program
//   - host: the host program
//
// Cookie, plugin name, versions and reports are those of the net/rpc peers, in
// conformance/goplugin/shared.
package goplugingrpc
