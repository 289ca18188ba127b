module github.com/jackfield-go/jackfield/yamux

go 1.25.0
