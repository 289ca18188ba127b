//go:build unix

package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// openWithoutWaiting keeps the opening of a named pipe from waiting.
const openWithoutWaiting = syscall.O_NONBLOCK

const writableByOthers = 0o022

// checkOwners reports why another user could replace what is made in dir, which
// has no links in its path: one who owns it or a directory above it, or may
// rename what is in them.
func checkOwners(dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return errors.ErrUnsupported
		}
		if uid := int(stat.Uid); uid != 0 && uid != os.Geteuid() {
			return fmt.Errorf("the directory %q belongs to another user, uid %d", dir, uid)
		}
		if info.Mode()&writableByOthers != 0 && info.Mode()&fs.ModeSticky == 0 {
			return fmt.Errorf("other users may rename what is in the directory %q (mode %s)", dir, info.Mode())
		}
		above := filepath.Dir(dir)
		if above == dir {
			return nil
		}
		dir = above
	}
}
