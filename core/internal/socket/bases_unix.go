//go:build unix && !linux

package socket

import "os"

// defaultBases prefers the system's choice, which on macOS is its user's alone:
// what is to be shared cannot be there.
func defaultBases(shared bool) []string {
	if shared {
		return []string{"/tmp"}
	}
	return []string{os.TempDir(), "/tmp"}
}
