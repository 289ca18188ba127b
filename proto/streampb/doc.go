// Package streampb has a gRPC service that reads and writes a stream of bytes, so that an io.Reader or
// an io.Writer of one process can be used in another. It is generated from
// jackfield/stream/v1/stream.proto, whose comments say what each part means; transport-grpc serves and
// calls it through its broker.
package streampb
