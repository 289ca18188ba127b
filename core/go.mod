module github.com/jackfield-go/jackfield/core

go 1.25.0

require github.com/jackfield-go/jackfield/tlsutil v0.0.0

replace github.com/jackfield-go/jackfield/tlsutil => ../tlsutil
