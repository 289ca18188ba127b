package transportgrpc

import (
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

// registerReflection lets tools list the services of the server. The protocol's
// own messages are not registered under their names on the wire, lest a program
// that links hashicorp/go-plugin too panics: pluginreflect has their descriptions.
func registerReflection(r *registrar) {
	options := reflection.ServerOptions{Services: r.server, DescriptorResolver: pluginreflect.Resolver(nil)}
	reflectionv1.RegisterServerReflectionServer(r, reflection.NewServerV1(options))
	reflectionv1alpha.RegisterServerReflectionServer(r, reflection.NewServer(options))
}
