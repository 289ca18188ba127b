//go:build !unix

package socket

// shareDir does nothing: no unix sockets are used on this platform.
func shareDir(string, string) error { return nil }

// Share does nothing: files have no groups on this platform.
func Share(string, string) error { return nil }
