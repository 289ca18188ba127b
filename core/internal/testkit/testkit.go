// Package testkit has helpers for the tests of several core packages: a second group
// to own files, and directories for sockets. It does not import testing: a program
// linking it by mistake would get the flags of testing.
package testkit

import (
	"os"
	"path/filepath"
)

// TB is the part of a testing.TB used here.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatal(arguments ...any)
	Skip(arguments ...any)
}

// OtherGroup returns the ID of a group, not this process's own, for files of this
// process. Root may use any group; other users need a second group, and without one
// OtherGroup skips the test.
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
	t.Skip("needs: root, or a user in two groups")
	return 0
}

// ShortDir returns a directory for the duration of the test. Unlike t.TempDir,
// its path leaves room for a socket's name and contains no links, and no other user
// can write above it, so it is fit for private copies.
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
