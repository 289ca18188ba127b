//go:build unix && !aix && !solaris

package socket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ClearAway removes the directory of a host that has ended, for its plugin: if the directory is this
// user's and no other process has a lock.
func ClearAway(dir string) { clearUnless(func(*os.File) bool { return false }, dir) }

// clearAway removes a directory if it is this user's and nobody uses it.
func clearAway(path string) { clearUnless(mayServe, path) }

func clearUnless(used func(owner *os.File) bool, path string) {
	dir, err := openDir(path)
	if err != nil {
		return
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return
	}
	file, err := openIn(dir, ownerFile, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errors.Is(err, fs.ErrNotExist) && isMine(info, fs.ModeDir) {
		// Abandoned before its file was made; or about to get the file, and
		// then its owner makes another directory. Only an empty directory is
		// removed here, or one with nothing but sockets of ended processes.
		removeDeadSockets(dir)
		_ = unix.Rmdir(path)
		return
	}
	if err != nil {
		return
	}
	defer file.Close()
	if owned, err := file.Stat(); err != nil || !isMine(owned, 0) {
		return
	}
	// Each maker and user of the directory has a lock. So this lock proves that
	// the directory is unused, and prevents new users.
	if flock(file, unix.LOCK_EX) != nil || !linked(file) {
		return
	}
	if used(file) {
		return // a plugin of another library, without its host
	}
	if isAt(path, info) {
		removeDir(path)
	}
}

// removeDeadSockets removes the content of an open directory if it has nothing but sockets made by
// a Namer for ended processes. A plugin that listens during the removal of its directory leaves
// such a socket without the owner's file.
func removeDeadSockets(dir *os.File) {
	entries, err := dir.ReadDir(maxDead + 1)
	if err != nil || len(entries) > maxDead {
		return
	}
	for _, entry := range entries {
		if pid, ok := namedBy(entry.Name()); !ok || entry.Type() != fs.ModeSocket || runs(pid) {
			return
		}
	}
	for _, entry := range entries {
		_ = unix.Unlinkat(int(dir.Fd()), entry.Name(), 0)
	}
}

// maxDead limits the number of sockets to examine in a directory without an owner.
const maxDead = 1000

// bootPrefix precedes the ID of a boot.
const bootPrefix = "boot "

// mayServe reports whether the process in an owner's file may run; it may be
// unknown. In doubt a directory stays.
func mayServe(file *os.File) bool {
	text := make([]byte, 128)
	n, err := file.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return true
	}
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	if boot, ok := strings.CutPrefix(line, bootPrefix); ok {
		now := bootID()
		return boot == now || boot == "" || now == ""
	}
	pid, err := strconv.Atoi(line)
	return err == nil && pid > 0 && runs(pid)
}

// runs reports whether a process with that PID runs, even if it is another
// process by now: in doubt a directory stays.
func runs(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) && !isZombie(pid)
}

// isZombie reports whether a process has ended without being reaped: in a
// container an orphan may never be (proc(5)). Only Linux has the file;
// elsewhere every process is reaped.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The name before the state is in parentheses and may have some in it.
	_, state, ok := bytes.Cut(stat[max(bytes.LastIndexByte(stat, ')'), 0):], []byte(") "))
	return ok && len(state) > 0 && (state[0] == 'Z' || state[0] == 'X')
}

// namedBy returns the PID in a socket's name from a Namer.
func namedBy(name string) (pid int, ok bool) {
	number, _, ok := strings.Cut(strings.TrimLeft(name, "hp"), "-")
	pid, err := strconv.Atoi(number)
	return pid, ok && err == nil && pid > 0
}
