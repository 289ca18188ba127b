module github.com/jackfield-go/jackfield/sdk-template/scaffold

go 1.25.0

require (
	github.com/bufbuild/protocompile v0.14.1
	golang.org/x/mod v0.37.0
	golang.org/x/term v0.45.0
	golang.org/x/tools v0.47.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/sync v0.21.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
