//go:build unix && !linux && !darwin

package plugin

// hasMembers takes every group for one with further members: nobody can tell.
func hasMembers(int) bool { return true }
