//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package discovery

// mayExecute believes what the mode says.
func mayExecute(string) error { return nil }
