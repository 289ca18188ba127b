//go:build !unix

package socket

// open does nothing: no unix sockets are used on this platform.
func (Access) open(madeDir) error { return nil }

// Share does nothing: files have no groups on this platform.
func (Access) Share(string) error { return nil }

func isSelf(int) bool { return true }

func userID(string) (int, error) { return nobody, nil }

func groupID(string) (int, error) { return nobody, nil }
