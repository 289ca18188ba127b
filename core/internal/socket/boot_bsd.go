//go:build unix && !aix && !solaris && !linux

package socket

import "golang.org/x/sys/unix"

// bootID tells this boot of the machine from others. macOS knows it by this name
// (sysctl(3)). Empty: it is not known.
func bootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}
