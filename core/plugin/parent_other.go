//go:build !linux

package plugin

// preferLifeline has nothing to turn off.
func preferLifeline() {}
