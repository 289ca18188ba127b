//go:build !unix

package socket

import "os"

// DefaultNetwork is what plugins listen on unless they are told otherwise (protocol §1).
const DefaultNetwork = "tcp"

// maxPath is that of the smallest of the other platforms.
const maxPath = 103

func defaultBases(bool) []string { return []string{os.TempDir()} }

// open does nothing: no unix sockets are used on this platform.
func (Access) open(*os.File) error { return nil }

// Share does nothing: files have no groups on this platform.
func (Access) Share(string) error { return nil }

func isSelf(int) bool { return true }

func userID(string) (int, error) { return nobody, nil }

func groupID(string) (int, error) { return nobody, nil }

// openMade opens a directory that this process has just made. Nobody else comes near
// this user's directories.
func openMade(path string) (*os.File, error) { return os.Open(path) }
