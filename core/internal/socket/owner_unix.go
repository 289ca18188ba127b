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

	"github.com/jackfield-go/jackfield/core/internal/dircheck"
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
func own(dir madeDir) (*owner, error) {
	fd, err := dir.openAt(ownerFile, syscall.O_CREAT|syscall.O_EXCL|syscall.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errTaken // an empty directory is nobody's
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(dir.path, ownerFile), Err: err}
	}
	o := &owner{fd: fd}
	// Whoever is let into the directory can lock it, whatever the umask.
	_ = syscall.Fchmod(fd, 0o644)
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

// Handed is a directory that a host handed over, as it was when this process began.
// What is at its path later says nothing of the host: whoever could put it there
// may be somebody else.
type Handed struct {
	path   string
	id     dirID
	owners []int
}

// Accept looks at the directory that a host handed over.
func Accept(dir string) Handed {
	var at syscall.Stat_t
	if syscall.Stat(dir, &at) != nil || !isOf(&at, syscall.S_IFDIR) {
		return Handed{path: dir}
	}
	return Handed{path: dir, id: idOf(&at), owners: ownersOf(dir, &at)}
}

// Owners returns the users who made it.
func (h Handed) Owners() []int { return h.owners }

// Check returns an error if there is another directory at the path by now.
func (h Handed) Check() error {
	var at syscall.Stat_t
	if err := syscall.Stat(h.path, &at); err != nil {
		return &fs.PathError{Op: "stat", Path: h.path, Err: err}
	}
	if idOf(&at) != h.id {
		return errors.New("it is not the directory that the host handed over: somebody has put another one in its place")
	}
	return nil
}

// ownersOf returns the users who made a directory: that of the directory, which may
// have been given away, and that of what the host put in it. Where others can put
// something too (another library's host may hand over /tmp), that says nothing; and
// the members of the group that a host names need not be known to be let in.
func ownersOf(dir string, at *syscall.Stat_t) []int {
	var in syscall.Stat_t
	owners := []int{int(at.Uid)}
	if at.Mode&dircheck.WritableByOthers == 0 && syscall.Lstat(filepath.Join(dir, ownerFile), &in) == nil && isOf(&in, syscall.S_IFREG) {
		owners = append(owners, int(in.Uid))
	}
	return owners
}

// serves notes the number of the process that the directory was made for.
func (o *owner) serves(pid int) { o.note(strconv.Itoa(pid)) }

// servesUnknown notes that it was made for something that runs until the next boot
// at the longest.
func (o *owner) servesUnknown() { o.note(bootPrefix + bootID()) }

func (o *owner) note(line string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd >= 0 {
		_, _ = syscall.Pwrite(o.fd, []byte(line+"\n"), 0)
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

// bootPrefix is before what tells this boot of the machine from others.
const bootPrefix = "boot "

// mayServe reports whether what an owner's file names may run: a process, or
// something that is not known. In doubt a directory stays.
func mayServe(fd int) bool {
	text := make([]byte, 128)
	n, err := syscall.Pread(fd, text, 0)
	if err != nil {
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
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !isZombie(pid)
}
