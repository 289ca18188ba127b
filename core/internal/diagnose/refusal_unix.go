//go:build unix

package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"syscall"
)

// IsBusy reports whether a file could not be run because it is open for writing
// somewhere.
func IsBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }

// wrongMachine are the numbers with which a system refuses a program for another
// machine, beside ENOEXEC: EBADARCH and EBADMACHO.
var wrongMachine = map[string][]syscall.Errno{"darwin": {86, 88}, "ios": {86, 88}}

// isBadFormat reports whether the file is nothing that this system runs.
func isBadFormat(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && (errno == syscall.ENOEXEC || slices.Contains(wrongMachine[runtime.GOOS], errno))
}

// isLinkLoop reports whether a path has too many symbolic links on it.
func isLinkLoop(err error) bool { return errors.Is(err, syscall.ELOOP) }

// failureOf sorts what the system said.
func failureOf(err error) failure {
	switch {
	case err == nil:
		return failureUntold
	case IsBusy(err):
		return failureBusy
	case isBadFormat(err):
		return failureFormat
	case errors.Is(err, syscall.E2BIG):
		return failureTooBig
	case errors.Is(err, fs.ErrNotExist):
		return failureMissing
	case errors.Is(err, fs.ErrPermission):
		return failureDenied
	}
	return failureOther
}

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
