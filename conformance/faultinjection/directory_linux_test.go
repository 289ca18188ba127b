package faultinjection

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// mount makes the directory a small file system of its own until the end of the test, or skips the
// test.
func mount(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=64,mode=700"); err != nil {
		t.Skipf("needs: root, to mount a file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// fill leaves no room for another file.
func fill(x *experiment) error {
	for n := 0; ; n++ {
		file, err := os.Create(filler(x, n))
		if err != nil {
			if n == 0 {
				return err
			}
			return nil
		}
		_ = file.Close()
	}
}

func filler(x *experiment, n int) string {
	return filepath.Join(x.dir, "filler"+strconv.Itoa(n))
}

// empty takes fill back.
func empty(x *experiment) error {
	n := 0
	for os.Remove(filler(x, n)) == nil {
		n++
	}
	if n == 0 {
		return fmt.Errorf("no file to remove in %s", x.dir)
	}
	return nil
}

// seal makes the plugin's directory read-only, by a mount of itself: the file system has files open
// for writing, and so cannot be.
func seal(x *experiment) error {
	dir, err := x.private()
	if err == nil {
		err = syscall.Mount(dir, dir, "", syscall.MS_BIND, "")
	}
	if err == nil {
		err = syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	}
	return err
}

// unseal takes seal back.
func unseal(x *experiment) error {
	dir, err := x.private()
	if err != nil {
		return err
	}
	return syscall.Unmount(dir, syscall.MNT_DETACH)
}

// private returns the plugin's directory.
func (x *experiment) private() (string, error) {
	found, err := filepath.Glob(filepath.Join(x.dir, "jackfield-*"))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("the directories of the plugin are %q, expected one", found)
	}
	return strings.Join(found, ""), err
}
