//go:build !windows

package host

const usesUnixSockets = true

// sameVariable compares the names of environment variables.
func sameVariable(a, b string) bool { return a == b }

// sameFileName compares the names of files.
func sameFileName(a, b string) bool { return a == b }
