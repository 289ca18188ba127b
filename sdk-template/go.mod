module github.com/jackfield-go/jackfield/sdk-template

go 1.25.0

require (
	github.com/fatih/color v1.19.0
	github.com/jackfield-go/jackfield/core v0.0.0
	github.com/jackfield-go/jackfield/discovery v0.0.0
	github.com/jackfield-go/jackfield/transport-grpc v0.0.0
	github.com/schollz/progressbar/v3 v3.19.1
	github.com/spf13/cobra v1.10.2
	golang.org/x/term v0.45.0
	google.golang.org/grpc v1.84.0
	google.golang.org/protobuf v1.36.12
)

require (
	aead.dev/minisign v0.3.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackfield-go/jackfield/broker v0.0.0 // indirect
	github.com/jackfield-go/jackfield/proto v0.0.0 // indirect
	github.com/jackfield-go/jackfield/tlsutil v0.0.0 // indirect
	github.com/jackfield-go/jackfield/yamux v0.0.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.22 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/mod v0.37.0 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260706201446-f0a921348800 // indirect
)

replace (
	github.com/jackfield-go/jackfield/broker => ../broker
	github.com/jackfield-go/jackfield/core => ../core
	github.com/jackfield-go/jackfield/discovery => ../discovery
	github.com/jackfield-go/jackfield/proto => ../proto
	github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
	github.com/jackfield-go/jackfield/transport-grpc => ../transport-grpc
	github.com/jackfield-go/jackfield/yamux => ../yamux
)
