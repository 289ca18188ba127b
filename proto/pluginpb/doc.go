// Package pluginpb has the messages and services that hosts and plugins need beside those of the
// application, where calls go over gRPC: the broker, the controller and the standard output. All of it
// but FileDescriptorSet is generated from the files in the folder plugin, whose comments say what each part
// means; a plugin or a host takes it through transport-grpc.
//
// The services have the names of the wire, such as plugin.GRPCBroker. The messages are registered in
// the Go runtime as jackfield.plugin.ConnInfo and so on, which no peer sees: the wire's names belong to
// hashicorp/go-plugin's package in a program that links both, and a name can be registered only once.
// Descriptors with the wire's names are in package pluginreflect.
package pluginpb
