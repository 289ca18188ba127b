module github.com/jackfield-go/jackfield/log-hclog

go 1.25.0

// v1.4.0: Logger.GetLevel.
require github.com/hashicorp/go-hclog v1.4.0

require (
	github.com/fatih/color v1.13.0 // indirect
	github.com/mattn/go-colorable v0.1.12 // indirect
	github.com/mattn/go-isatty v0.0.14 // indirect
	golang.org/x/sys v0.0.0-20220503163025-988cb79eb6c6 // indirect
)
