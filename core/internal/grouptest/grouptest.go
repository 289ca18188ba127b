// Package grouptest finds a group for tests of what is shared with one.
package grouptest

import "os"

// TB is what of a testing.TB is needed here.
type TB interface {
	Helper()
	Fatal(arguments ...any)
	Skip(arguments ...any)
}

// Other returns the number of a group, not this process's own, that it may give
// files to. Only root has a free choice; another user needs a second group, and
// without one the test is skipped.
func Other(t TB) int {
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
