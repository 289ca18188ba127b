// Package reflection is a server of gRPC's reflection: tools ask it which
// services there are and what their messages look like, and call them without
// the .proto files.
//
// It is here because google.golang.org/grpc/reflection links protodesc, whose
// initialisation is a good part of the time in which a plugin starts, and which
// a plugin needs for nothing else. Of all that protodesc does, reflection needs
// one direction: descriptor.go and field.go make the message
// google.protobuf.FileDescriptorProto of a descriptor. The answers are those of
// grpc's own server, which the tests compare them with.
//
// The files come from two places (library.go): those of the plugin protocol
// itself, which are embedded (wire.go), and then those of Config.Files.
package reflection

import (
	"google.golang.org/grpc"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Services tells what is listed; a *grpc.Server does. It is asked at each
// question, so what is registered later is there too.
type Services interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// Files finds descriptors; protoregistry.GlobalFiles does. What it does not find
// is an error of any kind.
type Files interface {
	FindFileByPath(path string) (protoreflect.FileDescriptor, error)
	FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error)
}

// Extensions finds extensions of messages; protoregistry.GlobalTypes does.
type Extensions interface {
	FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error)
	RangeExtensionsByMessage(message protoreflect.FullName, f func(protoreflect.ExtensionType) bool)
}

// Config says what a server of reflection knows. Nothing in it may be nil, and
// all of it is used from many goroutines.
type Config struct {
	Services   Services
	Files      Files // without those of the plugin protocol, which are built in
	Extensions Extensions
}

// Register adds reflection to r, in the version that tools use now and in the
// older one, which has other names and the same messages.
func Register(r grpc.ServiceRegistrar, config Config) {
	s := &server{services: config.Services, library: newLibrary(config.Files, config.Extensions)}
	for _, file := range []protoreflect.FileDescriptor{
		reflectionv1.File_grpc_reflection_v1_reflection_proto,
		reflectionv1alpha.File_grpc_reflection_v1alpha_reflection_proto,
	} {
		r.RegisterService(&grpc.ServiceDesc{
			ServiceName: string(file.Services().Get(0).FullName()),
			HandlerType: (*reflectionv1.ServerReflectionServer)(nil),
			Streams: []grpc.StreamDesc{{
				StreamName:    "ServerReflectionInfo",
				Handler:       handle,
				ServerStreams: true,
				ClientStreams: true,
			}},
			Metadata: file.Path(),
		}, s)
	}
}

// handle serves a stream of either version with the messages of the newer one.
func handle(impl any, stream grpc.ServerStream) error {
	s, ok := impl.(reflectionv1.ServerReflectionServer)
	if !ok {
		return errNoServer
	}
	return s.ServerReflectionInfo(&grpc.GenericServerStream[request, response]{ServerStream: stream})
}
