module github.com/jackfield-go/jackfield/protoc-gen-go-jackfield

go 1.25.0

require (
	github.com/jackfield-go/jackfield/proto v0.0.0
	google.golang.org/protobuf v1.36.12
)

replace github.com/jackfield-go/jackfield/proto => ../proto
