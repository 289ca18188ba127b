//go:build !windows && !darwin && !dragonfly && !freebsd && !illumos && !linux && !netbsd && !openbsd

package files

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock that ends with its holder, a writer would lose
// another writer's change.
func lockFile(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func release(file *os.File) { _ = file.Close() }
