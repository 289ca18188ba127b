// Package pluginpb contains the protocol's own messages and services for a plugin
// connection over gRPC: the broker, the controller and the standard output. All of it
// except FileDescriptorSet is generated from the .proto files in the folder plugin; their
// comments explain each part. Plugins and hosts use it through transport-grpc.
//
// The services keep their wire names, such as plugin.GRPCBroker. The Go runtime registers
// the messages under other names, such as jackfield.plugin.ConnInfo; no peer sees them. A
// name can be registered only once, and in a program that links both, the wire names belong
// to hashicorp/go-plugin. Package pluginreflect has descriptors with the wire names.
package pluginpb
