module github.com/jackfield-go/jackfield/transport-grpc

go 1.25.0

require (
	github.com/jackfield-go/jackfield/broker v0.0.0
	github.com/jackfield-go/jackfield/core v0.0.0
	github.com/jackfield-go/jackfield/proto v0.0.0
	github.com/jackfield-go/jackfield/yamux v0.0.0
	// v0.0.0-20240604185151-ef581f913117: what grpc v1.66.3 requires.
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240604185151-ef581f913117
	// v1.66.3: mem.BufferPool came with v1.66.0, but flow control miscounted until this patch, and calls failed.
	google.golang.org/grpc v1.66.3
	// v1.34.1: what grpc v1.66.3 requires.
	google.golang.org/protobuf v1.34.1
)

require github.com/jackfield-go/jackfield/tlsutil v0.0.0

require (
	golang.org/x/net v0.26.0 // indirect
	golang.org/x/sys v0.21.0 // indirect
	golang.org/x/text v0.16.0 // indirect
)

replace (
	github.com/jackfield-go/jackfield/broker => ../broker
	github.com/jackfield-go/jackfield/core => ../core
	github.com/jackfield-go/jackfield/proto => ../proto
	github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
	github.com/jackfield-go/jackfield/yamux => ../yamux
)
