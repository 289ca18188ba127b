module github.com/jackfield-go/jackfield/transport-netrpc

go 1.25.0

require (
	github.com/jackfield-go/jackfield/broker v0.0.0
	github.com/jackfield-go/jackfield/core v0.0.0
	github.com/jackfield-go/jackfield/yamux v0.0.0
)

require (
	github.com/jackfield-go/jackfield/tlsutil v0.0.0 // indirect
	golang.org/x/sys v0.1.0 // indirect
)

replace (
	github.com/jackfield-go/jackfield/broker => ../broker
	github.com/jackfield-go/jackfield/core => ../core
	github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
	github.com/jackfield-go/jackfield/yamux => ../yamux
)
