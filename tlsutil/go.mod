module github.com/jackfield-go/jackfield/tlsutil

go 1.25.0
