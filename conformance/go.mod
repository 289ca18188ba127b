module github.com/jackfield-go/jackfield/conformance

go 1.26.0

require (
	github.com/creack/pty v1.1.24
	github.com/hashicorp/go-hclog v1.6.3
	github.com/hashicorp/go-plugin v1.8.0
	github.com/hashicorp/yamux v0.1.2
	github.com/jackfield-go/jackfield/broker v0.0.0
	github.com/jackfield-go/jackfield/core v0.0.0
	github.com/jackfield-go/jackfield/discovery v0.0.0
	github.com/jackfield-go/jackfield/examples v0.0.0
	github.com/jackfield-go/jackfield/log-hclog v0.0.0
	github.com/jackfield-go/jackfield/proto v0.0.0
	github.com/jackfield-go/jackfield/tlsutil v0.0.0
	github.com/jackfield-go/jackfield/transport-grpc v0.0.0
	github.com/jackfield-go/jackfield/transport-netrpc v0.0.0
	github.com/jackfield-go/jackfield/yamux v0.0.0
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.50.0
	golang.org/x/term v0.48.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/fatih/color v1.19.0 // indirect
	github.com/golang/protobuf v1.5.4 // indirect
	github.com/mattn/go-colorable v0.1.16 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/oklog/run v1.2.0 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/text v0.44.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c // indirect
)

replace github.com/jackfield-go/jackfield/broker => ../broker

replace github.com/jackfield-go/jackfield/core => ../core

replace github.com/jackfield-go/jackfield/discovery => ../discovery

replace github.com/jackfield-go/jackfield/examples => ../examples

replace github.com/jackfield-go/jackfield/log-hclog => ../log-hclog

replace github.com/jackfield-go/jackfield/proto => ../proto

replace github.com/jackfield-go/jackfield/tlsutil => ../tlsutil

replace github.com/jackfield-go/jackfield/transport-grpc => ../transport-grpc

replace github.com/jackfield-go/jackfield/transport-netrpc => ../transport-netrpc

replace github.com/jackfield-go/jackfield/yamux => ../yamux
