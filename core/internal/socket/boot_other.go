//go:build unix && !aix && !solaris && !linux && !darwin

package socket

// bootID does not know.
func bootID() string { return "" }
