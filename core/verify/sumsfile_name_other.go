//go:build !windows

package verify

// sameFileName compares the names of files.
func sameFileName(a, b string) bool { return a == b }
