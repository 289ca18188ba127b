//go:build !unix

package socket

import (
	"errors"
	"os"
)

// DefaultNetwork is the default network for plugins to listen on (protocol §1).
const DefaultNetwork = "tcp"

// maxPath is the smallest limit of the other platforms.
const maxPath = 103

func defaultBases(bool) []string { return []string{os.TempDir()} }

// open does nothing: no unix sockets are used on this platform.
func (Access) open(*os.File) error { return nil }

// Share does nothing: files have no groups on this platform.
func (Access) Share(string) error { return nil }

func isSelf(int) bool { return true }

func userID(string) (int, error) { return nobody, nil }

func groupID(string) (int, error) { return nobody, nil }

// openMade opens a directory just made by this process. No other user has access to this user's
// directories.
func openMade(path string) (*os.File, error) { return os.Open(path) }

// Lifeline refuses.
func (*Dir) Lifeline() (string, error) { return "", errors.ErrUnsupported }
