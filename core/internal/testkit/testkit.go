// Package testkit has what the tests of several packages of core need: a group to
// share files with, and directories for sockets. It does not import testing, so that
// no program that links it by mistake gets that package's flags.
package testkit

import (
	"os"
	"path/filepath"
)

// TB is the part of a testing.TB that is needed here.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatal(arguments ...any)
	Skip(arguments ...any)
}

// OtherGroup returns the number of a group, not this process's own, that it may give
// files to. Only root has a free choice; another user needs a second group, and
// without one the test is skipped.
func OtherGroup(t TB) int {
	t.Helper()
	if os.Geteuid() == 0 {
		return 12345
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, gid := range groups {
		if gid != os.Getegid() {
			return gid
		}
	}
	t.Skip("needs: root, or a user who is in two groups")
	return 0
}

// ShortDir returns a directory that is removed with the test. Unlike that of
// t.TempDir its path leaves room for a socket's name. There are no links in it.
func ShortDir(t TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}
