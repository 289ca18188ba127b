//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// errTaken says that a directory was taken for one that nobody uses, before its
// owner could say otherwise.
var errTaken = errors.New("the directory was taken away")

// hold keeps a directory from being removed: by other processes of this library with
// a lock on the file, and with one on the directory by a cleaner of temporary files that
// heeds it, as systemd-tmpfiles does (tmpfiles.d(5), "age").
type hold struct{ file, dir *os.File }

// takeHold marks a newly made directory as this process's.
func takeHold(dir *os.File) (*hold, error) {
	file, err := openIn(dir, ownerFile, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errTaken // an empty directory is nobody's
	}
	if err != nil {
		return nil, err
	}
	// Users with access to the directory can lock it, whatever the umask.
	_ = file.Chmod(0o644)
	err = flock(file, unix.LOCK_SH)
	// A file system without locks is no reason not to serve. Abandoned
	// directories stay there.
	if errors.Is(err, unix.EWOULDBLOCK) || err == nil && !linked(file) {
		file.Close()
		return nil, errTaken
	}
	return &hold{file, lockDir(dir)}, nil
}

// lockDir protects an open directory from cleaners. Nil: that is impossible.
func lockDir(dir *os.File) *os.File {
	locked, err := openIn(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil
	}
	_ = flock(locked, unix.LOCK_SH)
	return locked
}

// Hold protects a directory made by the host from removal for as long as this
// process runs, in case it outlives its host. release ends that; it is never
// nil. A directory of another library's host cannot be held, and need not be.
// If the directory is being removed, since its host has ended, Hold fails.
func Hold(dir string) (release func(), err error) {
	held, err := openDir(dir)
	if err != nil {
		return func() {}, nil
	}
	defer held.Close()
	hold, err := join(held)
	if errors.Is(err, errTaken) {
		return func() {}, fmt.Errorf("the host that made the directory %q for sockets has ended, and it is being removed", dir)
	}
	return hold.release, nil
}

// join holds an open directory with an owner. Without an owner it returns nil.
func join(dir *os.File) (*hold, error) {
	file, err := openIn(dir, ownerFile, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return nil, nil //nolint:nilerr // nothing to hold: another library's host has no such file
	}
	err = flock(file, unix.LOCK_SH)
	if errors.Is(err, unix.EWOULDBLOCK) || err == nil && !linked(file) {
		file.Close()
		return nil, errTaken
	}
	return &hold{file, lockDir(dir)}, nil
}

// serves records the PID of the directory's process.
func (h *hold) serves(pid int) { h.note(strconv.Itoa(pid)) }

// servesUnknown records an unknown process, which runs until the next boot at the longest.
func (h *hold) servesUnknown() { h.note(bootPrefix + bootID()) }

// note writes a line into the owner's file. After release it does nothing.
func (h *hold) note(line string) {
	if h != nil {
		_, _ = h.file.WriteAt([]byte(line+"\n"), 0)
	}
}

// release releases the locks.
func (h *hold) release() {
	if h != nil {
		h.file.Close()
		_ = h.dir.Close() // may be nil
	}
}

// openIn opens a file in an open directory, even if another directory is at its path.
func openIn(dir *os.File, name string, flags int) (*os.File, error) {
	path := filepath.Join(dir.Name(), name)
	for {
		fd, err := unix.Openat(int(dir.Fd()), name, flags|unix.O_CLOEXEC, 0o644)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), path), nil
		case !errors.Is(err, unix.EINTR):
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// flock asks for a lock, without waiting for it (flock(2)).
func flock(file *os.File, how int) error {
	for {
		err := unix.Flock(int(file.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// linked reports whether an open file is still in its directory.
func linked(file *os.File) bool {
	var stat unix.Stat_t
	return unix.Fstat(int(file.Fd()), &stat) == nil && stat.Nlink > 0
}
