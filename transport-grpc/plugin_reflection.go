package transportgrpc

import (
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/jackfield-go/jackfield/transport-grpc/internal/reflection"
)

// registerReflection lets tools list the services of the server and find out
// what their messages are: the protocol's own, and all that the program links.
func registerReflection(r *registrar) {
	reflection.Register(r, reflection.Config{
		Services:   r.server,
		Files:      protoregistry.GlobalFiles,
		Extensions: protoregistry.GlobalTypes,
	})
}
