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

// IsBusy reports whether a file did not run because it is open for writing.
func IsBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }

// wrongMachine lists further errors than ENOEXEC for a program for another
// machine: EBADARCH and EBADMACHO.
var wrongMachine = map[string][]syscall.Errno{"darwin": {86, 88}, "ios": {86, 88}}

// isBadFormat reports whether this system does not run the file's format.
func isBadFormat(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && (errno == syscall.ENOEXEC || slices.Contains(wrongMachine[runtime.GOOS], errno))
}

// isLinkLoop reports whether a path has too many symbolic links.
func isLinkLoop(err error) bool { return errors.Is(err, syscall.ELOOP) }

// failureOf classifies the system's error.
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

// permission reports a mode that forbids execution, to everybody or to this
// user.
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

// mayExecute applies the three classes of a mode to a user with this process's
// groups. It ignores ACLs, and then returns true.
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
