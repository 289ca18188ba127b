//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// errTaken says that a directory was taken for one that nobody uses, before its
// owner could say otherwise.
var errTaken = errors.New("the directory was taken away")

// owner keeps a directory from being removed by other processes.
type owner struct {
	mu sync.Mutex
	fd int // -1 after release. No os.File, whose upkeep a launch would wait for
}

// own makes a directory that has just been made this process's.
func own(dir string) (*owner, error) {
	path := filepath.Join(dir, ownerFile)
	fd, err := open(path, syscall.O_CREAT|syscall.O_EXCL|syscall.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errTaken // an empty directory is nobody's
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	o := &owner{fd: fd}
	err = flock(fd, syscall.LOCK_SH)
	// A file system without locks is no reason not to serve. What is left there
	// stays there.
	if errors.Is(err, syscall.EWOULDBLOCK) || err == nil && !linked(fd) {
		o.release()
		return nil, errTaken
	}
	return o, nil
}

// Hold keeps a directory that the host made from being removed for as long as
// this process runs, should it outlive its host. release ends that; it is never
// nil. A directory of another library's host cannot be held, and need not be.
func Hold(dir string) (release func()) {
	fd, err := open(filepath.Join(dir, ownerFile), syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK)
	if err != nil {
		return func() {}
	}
	_ = flock(fd, syscall.LOCK_SH)
	return (&owner{fd: fd}).release
}

// Owners returns the users who made a directory that a host handed over: of the
// directory, which may have been given away, and of what the host put in it. Where
// others can put something too (another library's host may hand over /tmp), that
// says nothing.
func Owners(dir string) []int {
	var at, in syscall.Stat_t
	if syscall.Stat(dir, &at) != nil || !isOf(&at, syscall.S_IFDIR) {
		return nil
	}
	owners := []int{int(at.Uid)}
	if at.Mode&writableByOthers == 0 && syscall.Lstat(filepath.Join(dir, ownerFile), &in) == nil && isOf(&in, syscall.S_IFREG) {
		owners = append(owners, int(in.Uid))
	}
	return owners
}

// writableByOthers are the modes by which another than its owner can make files in
// a directory. The members of the group that a host names need none to be let in.
const writableByOthers = 0o022

// serves notes the number of the process that the directory was made for.
func (o *owner) serves(pid int) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd >= 0 {
		_, _ = syscall.Pwrite(o.fd, []byte(strconv.Itoa(pid)+"\n"), 0)
	}
}

// release lets go of the lock.
func (o *owner) release() {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd >= 0 {
		_ = syscall.Close(o.fd)
		o.fd = -1
	}
}

// open opens a file that no child of this process inherits.
func open(path string, flags int) (int, error) {
	for {
		fd, err := syscall.Open(path, flags|syscall.O_CLOEXEC, 0o644)
		if !errors.Is(err, syscall.EINTR) {
			return fd, err
		}
	}
}

// flock asks for a lock, without waiting for it (flock(2)).
func flock(fd, how int) error {
	for {
		err := syscall.Flock(fd, how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// linked reports whether an open file is still in its directory.
func linked(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Nlink > 0
}

// served returns the number of the process in an owner's file, 0 if there is
// none.
func served(fd int) int {
	text := make([]byte, 16)
	n, err := syscall.Pread(fd, text, 0)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

// runs reports whether a process with that number runs, be it another one by now:
// in doubt a directory stays.
func runs(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !isZombie(pid)
}
