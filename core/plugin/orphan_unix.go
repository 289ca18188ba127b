//go:build unix

package plugin

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// abandon puts another file in the place of the host's ends.
func (o *output) abandon(nowhere *os.File) {
	for _, file := range []*os.File{o.log, o.announce} {
		_ = unix.Dup2(int(nowhere.Fd()), int(file.Fd()))
	}
}

// leadsGroup reports whether this process has a group of its own: the members of another group are
// not its own.
func leadsGroup() bool {
	group, err := unix.Getpgid(0)
	return err == nil && group == os.Getpid()
}

// endFamily ends this process, and the group that it leads, at once.
func endFamily() {
	if leadsGroup() {
		_ = unix.Kill(-os.Getpid(), unix.SIGKILL)
	}
	os.Exit(1) //nolint:forbidigo // an orphan must not stay, whatever main does
}

// groupPause is the pause between looks at the group.
const groupPause = 20 * time.Millisecond

// leaveFamily asks the rest of the group that this process leads to leave, and waits until it has.
// The wait ends with [endFamily] at the latest.
func leaveFamily() {
	if !leadsGroup() || !hasMembers(os.Getpid()) {
		return
	}
	_ = unix.Kill(-os.Getpid(), unix.SIGTERM) // this process handles it
	for hasMembers(os.Getpid()) {
		time.Sleep(groupPause) //nolint:forbidigo // nothing announces the end of grandchildren
	}
}
