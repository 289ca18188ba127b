module github.com/jackfield-go/jackfield/core

go 1.25.0

require (
	github.com/jackfield-go/jackfield/tlsutil v0.0.0
	// v0.1.0: the first version with a tag.
	golang.org/x/sys v0.1.0
)

replace github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
