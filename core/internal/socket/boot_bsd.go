//go:build unix && !aix && !solaris && !linux

package socket

import "golang.org/x/sys/unix"

// bootID returns the ID of this boot of the machine. macOS knows it by this
// name (sysctl(3)). Empty: unknown.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
