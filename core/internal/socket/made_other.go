//go:build !unix

package socket

// dirID is nothing: nobody else comes near this user's directories.
type dirID struct{}

func (dirID) isAt(string) bool { return true }

// madeDir is a directory that this process has just made.
type madeDir struct{ id dirID }

func openMade(string) (madeDir, error) { return madeDir{}, nil }

func (madeDir) close() {}
