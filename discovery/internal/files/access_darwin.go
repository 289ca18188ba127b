package files

import "golang.org/x/sys/unix"

// MayExecute asks whether this user, the real one, may execute a file, of which the
// mode says that some may.
func MayExecute(path string) error { return unix.Access(path, unix.X_OK) }
