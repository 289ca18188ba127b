module github.com/jackfield-go/jackfield/examples

go 1.26.0

require (
	github.com/creack/pty v1.1.24
	github.com/jackfield-go/jackfield/core v0.0.0
	github.com/jackfield-go/jackfield/discovery v0.0.0
	github.com/jackfield-go/jackfield/proto v0.0.0
	github.com/jackfield-go/jackfield/tlsutil v0.0.0
	github.com/jackfield-go/jackfield/transport-grpc v0.0.0
	github.com/jackfield-go/jackfield/transport-netrpc v0.0.0
	github.com/opencontainers/runtime-spec v1.2.0
	github.com/spf13/cobra v1.10.2
	go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc v0.72.0
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
	golang.org/x/term v0.48.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	aead.dev/minisign v0.3.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackfield-go/jackfield/broker v0.0.0 // indirect
	github.com/jackfield-go/jackfield/yamux v0.0.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/log v1.47.0 // indirect
	go.opentelemetry.io/otel/metric v1.47.0 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	golang.org/x/text v0.44.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c // indirect
)

replace (
	github.com/jackfield-go/jackfield/broker => ../broker
	github.com/jackfield-go/jackfield/core => ../core
	github.com/jackfield-go/jackfield/discovery => ../discovery
	github.com/jackfield-go/jackfield/proto => ../proto
	github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
	github.com/jackfield-go/jackfield/transport-grpc => ../transport-grpc
	github.com/jackfield-go/jackfield/transport-netrpc => ../transport-netrpc
	github.com/jackfield-go/jackfield/yamux => ../yamux
)
