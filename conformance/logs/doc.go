// Package logs measures what a host does with its plugins' log lines, ours
// beside hashicorp/go-plugin's:
//
//	go test -run TestLogFigures -v ./logs
//
// Both hosts launch the same program, which writes a flood of JSON lines to its
// stderr when it is told to, and log them as text.
package logs
