// Package streampb contains a gRPC service for reading and writing a stream of bytes. With
// it, a process can use an io.Reader or an io.Writer of another process. The code is
// generated from jackfield/stream/v1/stream.proto; its comments explain each part.
// transport-grpc serves and calls the service through its broker.
package streampb
