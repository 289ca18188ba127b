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

// clearAway removes a directory if it is this user's and nobody uses it.
func clearAway(path string) {
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
		// Left between the directory and its file; or about to get one, and then
		// its owner makes another. Only an empty directory is removed so, or one
		// with nothing but the sockets of processes that have ended.
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
	// Whoever makes or uses the directory has a lock, so this one means that
	// nobody does, and holds new ones off.
	if flock(file, unix.LOCK_EX) != nil || !linked(file) {
		return
	}
	if mayServe(file) {
		return // a plugin of another library, without its host
	}
	if isAt(path, info) {
		removeDir(path)
	}
}

// removeDeadSockets removes all that is in an open directory if it is sockets that a
// Namer has named, of processes that have ended. A plugin that listens while its
// directory is cleared away leaves such a socket without the owner's file.
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

// maxDead bounds how many sockets are looked at in a directory without an owner.
const maxDead = 1000

// bootPrefix is before what tells this boot of the machine from others.
const bootPrefix = "boot "

// mayServe reports whether what an owner's file names may run: a process, or
// something that is not known. In doubt a directory stays.
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

// runs reports whether a process with that number runs, be it another one by now:
// in doubt a directory stays.
func runs(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH) && !isZombie(pid)
}

// isZombie reports whether a process has ended and nobody has asked how: in a
// container nobody may ever do that for one whose parent is gone (proc(5)). Only
// Linux has the file; elsewhere there is always somebody who asks.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The name before the state is in parentheses and may have some in it.
	_, state, ok := bytes.Cut(stat[max(bytes.LastIndexByte(stat, ')'), 0):], []byte(") "))
	return ok && len(state) > 0 && (state[0] == 'Z' || state[0] == 'X')
}
