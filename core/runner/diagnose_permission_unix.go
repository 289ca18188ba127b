//go:build unix

package runner

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

const (
	anyExecute   = 0o111
	ownerExecute = 0o100
	groupExecute = 0o010
	otherExecute = 0o001
)

// executableMode reports whether somebody may execute the file.
func executableMode(info fs.FileInfo) bool { return info.Mode()&anyExecute != 0 }

func notExecutable(info fs.FileInfo, path string) string {
	return fmt.Sprintf("has no execute permission (mode %s): run chmod +x %q", info.Mode(), path)
}

// permission says that the file's mode forbids to run it, to everybody or to
// this user.
func (s suspect) permission(info fs.FileInfo) string {
	if !executableMode(info) {
		return fmt.Sprintf("%q %s", s.path, notExecutable(info, s.path))
	}
	if s.failure != failureDenied || mayExecute(info, os.Geteuid()) {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%q may not be executed by this user, uid %d (mode %s, owner uid %d, gid %d): "+
		"give that user execute permission", s.path, os.Geteuid(), info.Mode(), stat.Uid, stat.Gid)
}

// mayExecute applies the three classes of a mode to a user of this process's
// groups. What it cannot see (ACLs) it takes for a yes.
func mayExecute(info fs.FileInfo, uid int) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || uid == 0 {
		return true
	}
	switch {
	case int(stat.Uid) == uid:
		return info.Mode()&ownerExecute != 0
	case inGroup(int(stat.Gid)):
		return info.Mode()&groupExecute != 0
	}
	return info.Mode()&otherExecute != 0
}

func inGroup(gid int) bool {
	groups, err := os.Getgroups()
	return os.Getegid() == gid || err == nil && slices.Contains(groups, gid)
}
