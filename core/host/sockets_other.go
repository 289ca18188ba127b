//go:build !windows

package host

const usesUnixSockets = true
