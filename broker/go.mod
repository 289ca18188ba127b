module github.com/jackfield-go/jackfield/broker

go 1.25.0
