// Package goplugingrpc is the table of contents of the gRPC conformance peers built on
// hashicorp/go-plugin v1.8.0. It has no code of its own. Its tests run the peers against
// each other, so a difference from Jackfield is not a mistake in the peers. They also
// record the scenarios that go-plugin fails with itself.
//
//   - probe: the service and its two ends, free of any plugin library
//   - scenario: the scenarios, for hosts and plugins on any library
//   - probeplugin: the probe as a go-plugin plugin, for hosts and plugins
//   - plugin: the plugin program
//   - host: the host program
//
// Cookie, plugin name, versions and reports are those of the net/rpc peers, in
// conformance/goplugin/shared.
package goplugingrpc
