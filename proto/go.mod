module github.com/jackfield-go/jackfield/proto

go 1.25.0

require (
	// v1.66.3: as transport-grpc, with which this module is used.
	google.golang.org/grpc v1.66.3
	// v1.34.1: what grpc v1.66.3 requires.
	google.golang.org/protobuf v1.34.1
)

require (
	golang.org/x/net v0.26.0 // indirect
	golang.org/x/sys v0.21.0 // indirect
	golang.org/x/text v0.16.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240604185151-ef581f913117 // indirect
)
