// Package logs measures the handling of plugins' log lines in a host, ours beside
// hashicorp/go-plugin's:
//
//	go test -run TestLogFigures -v ./logs
//
// Both hosts launch the same program and log its lines as text. On request, the program
// writes a flood of JSON lines to its stderr.
package logs
