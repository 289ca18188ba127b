module github.com/jackfield-go/jackfield/broker

go 1.25.0

require github.com/jackfield-go/jackfield/yamux v0.0.0

replace github.com/jackfield-go/jackfield/yamux => ../yamux
