//go:build unix && !aix && !darwin

package files

import "golang.org/x/sys/unix"

// MayExecute asks whether this user may execute a file, of which the mode says
// that some may.
func MayExecute(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
